import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Runtime } from '../runtime/runtime.ts'
import { waitUntilReady } from './wait-until-ready.ts'

/** An engine that tells of an end only when it is asked for it, or a second later. */
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

test('a server without checks that has ended is never ready, however late its engine says so', async () => {
  await expect(waitFor(3)).rejects.toMatchObject({ code: 'SERVER_DIED', message: /exit code 3/ })
})

test('one that lives on is', async () => {
  expect(await waitFor(undefined)).toBe(false)
})
