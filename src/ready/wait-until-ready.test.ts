import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type FailureCode, TestfleetError } from '../model/failures.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { waitUntilReady } from './wait-until-ready.ts'

/** An engine that reports an end only when it is asked, or a second later. */
function busyEngine(exitCode: number | undefined): Runtime {
  return {
    inspectServer: async () => ({ exitCode, isOutOfMemory: false }),
    async waitServer() {
      await sleep(1000)
      return exitCode
    },
    async *readLogs() {},
  } as unknown as Runtime
}

const waitFor = (exitCode: number | undefined) =>
  waitUntilReady({ server: 'web', containerId: 'c', runtime: busyEngine(exitCode) } as never, {
    checks: [],
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    onAnswer() {},
  })

test('a server without checks that has ended is never ready, even if the engine reports the end late', async () => {
  await expect(waitFor(3)).rejects.toMatchObject({ code: 'SERVER_DIED', message: /exit code 3/ })
})

test('a server without checks that stays alive is ready', async () => {
  expect(await waitFor(undefined)).toBe(false)
})

describe('a failure is reported as the end of the server if it has ended', () => {
  const words = ['last words']
  const inspectServer = async (): Promise<object> => ({ exitCode: 7, isOutOfMemory: false, health: 'none' })
  const waits: Runtime['waitServer'] = (_, options) => sleep(60_000, 0, { signal: options?.signal })
  function endedServer(how: Partial<Runtime> = {}): Runtime {
    return {
      inspectServer,
      waitServer: async () => sleep(50, 7),
      async *readLogs() {
        yield { stream: 'stderr', bytes: Buffer.from('last words\n') }
      },
      ...how,
    } as unknown as Runtime
  }
  /** Nothing is published, and no address is left. */
  const reach = { isRemote: false, published: () => undefined, direct: () => undefined }
  const wait = (checks: readonly ReadyCheck[], runtime: Runtime, timeoutMs = 20_000) =>
    waitUntilReady(
      {
        server: 'web',
        hostname: 'web.test',
        containerId: 'c',
        runtime,
        reach,
        async readSecret() {
          throw new TestfleetError('SECRET_UNUSABLE', 'the secrets of web cannot be read')
        },
      },
      { checks, timeoutMs, signal: new AbortController().signal, onAnswer() {} },
    )
  const death = { code: 'SERVER_DIED', message: 'web ended with exit code 7 before it was ready', output: words }
  const fails = (code: FailureCode, message: string) => async () => {
    throw new TestfleetError(code, message)
  }

  test.each<[string, ReadyCheck, Partial<Runtime>]>([
    ['a port that is listed', { kind: 'tcp', port: 80 }, {}],
    ['a port of UDP', { kind: 'dns', port: 53 }, {}],
    ['a secret', { kind: 'redis', port: 6379, password: { secret: 'A' } }, {}],
    ['a health check', { kind: 'healthcheck' }, {}],
    ['a command', { kind: 'exec', command: ['a'] }, { exec: fails('ENGINE_REFUSED', 'is not running') }],
    // The engine looks for the process of a server that has just ended.
    ['a program', { kind: 'exec', command: ['a'] }, { exec: fails('COMMAND_NOT_FOUND', 'open /proc/9/ns/net') }],
    ['a log', { kind: 'log', text: 'ready', isPattern: false }, {}],
  ])('although its check fails: %s', async (_, check, how) => {
    await expect(wait([check], endedServer(how))).rejects.toMatchObject(death)
  })

  test('although the engine reports the end late', async () => {
    const late = endedServer({ waitServer: async () => sleep(200, 7) })
    await expect(wait([{ kind: 'tcp', port: 80 }], late)).rejects.toMatchObject(death)
  })

  test('although the engine is too busy to report the end', async () => {
    const busy = endedServer({ waitServer: waits })
    await expect(wait([{ kind: 'tcp', port: 80 }], busy)).rejects.toMatchObject(death)
  })

  test('although the timeout passes at the same moment', async () => {
    await expect(wait([{ kind: 'log', text: 'x', isPattern: false }], endedServer(), 20)).rejects.toMatchObject(death)
  })

  test('although its log cannot be read', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it yields
    async function* readLogs(): AsyncGenerator<never> {
      throw new TestfleetError('ENGINE_REFUSED', 'configured logging driver does not support reading')
    }
    const silent = { ...death, output: [], hint: expect.stringContaining('logged nothing') }
    await expect(wait([{ kind: 'tcp', port: 80 }], endedServer({ readLogs }))).rejects.toMatchObject(silent)
  })

  test('and as the failed check if it still runs', async () => {
    const running = endedServer({ waitServer: waits, inspectServer: async () => ({ health: 'none' }) as never })
    await expect(wait([{ kind: 'tcp', port: 80 }], running)).rejects.toMatchObject({ code: 'PORT_UNREACHABLE' })
  })
})
