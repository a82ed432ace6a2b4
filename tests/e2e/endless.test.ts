import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandResult, removeFleetFolders, runTestfleet, startTestfleet } from '../support/command.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
/** A call needs 20 MB for itself. One that keeps the long output needs all of that besides. */
const MOST_BYTES = 45_000_000
/** More than fits into one JSON document. */
const LONG_BYTES = 70_000_000

let fleet: StoryFleet

beforeAll(async () => {
  const longLine = `head -c ${LONG_BYTES} /dev/zero | tr '\\0' x; echo; echo ready; exec sleep 600`
  fleet = await makeFleet({
    endless: { image, command: ['sleep', '600'], ready: [{ exec: ['true'] }] },
    long: { image, command: ['sh', '-c', longLine], ready: [{ log: 'ready' }] },
  })
  await fleet.done(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

/**
 * Preloaded into a call: tells the most memory that it kept, as it printed and four times a second, or less often where
 * that would take much of its time. What is garbage does not count, because how much there is of it at a time depends
 * on the machine.
 * Also tells how often it printed something although the reader had not yet taken what was printed before.
 */
const meter = `
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  let peak = 0
  const look = () => {
    // The first round begins to free buffers, the second one counts them as free.
    collect()
    collect()
    const { heapUsed, external } = process.memoryUsage()
    peak = Math.max(peak, heapUsed + external)
  }
  const { stdout } = process
  const write = stdout.write
  let printed = 0
  let next = 0
  let unwaited = 0
  stdout.write = (data, ...rest) => {
    if (printed >= next) {
      look()
      next = printed + ${LONG_BYTES / 10}
    }
    printed += data.length
    if (data.length > 0 && stdout.writableNeedDrain) unwaited += 1
    return write.call(stdout, data, ...rest)
  }
  const lookAgain = () => {
    const startedAt = performance.now()
    look()
    setTimeout(lookAgain, Math.max(250, 9 * (performance.now() - startedAt))).unref()
  }
  setTimeout(lookAgain, 250).unref()
  process.on('exit', () => process._rawDebug('peak=' + peak + ' unwaited=' + unwaited))`

interface Measured extends CommandResult {
  readonly peakBytes: number
  readonly unwaited: number
}

/** Calls the command as a process of its own, with the meter. */
async function measure(words: readonly string[]): Promise<Measured> {
  const result = await runTestfleet(words, {
    cwd: fleet.folder,
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(meter)}` },
    timeoutMs: 240_000,
  })
  const [, peak, unwaited] = /^peak=(\d+) unwaited=(\d+)$/m.exec(result.stderr) ?? []
  expect(peak).toBeDefined()
  return { ...result, peakBytes: Number(peak), unwaited: Number(unwaited) }
}

describe('a server whose output never ends', () => {
  test('in its exec check fails with READY_TIMEOUT, in little memory', async () => {
    const endless = { image, command: ['sleep', '600'], ready: [{ exec: ['yes'] }], readyTimeout: '3s' }
    await fleet.declare({ endless, long: { image, command: ['sleep', '600'] } })
    const failed = await measure(['run', '--server', 'endless', '--', 'true'])
    expect(failed).toMatchObject({ exitCode: 4, stdout: '' })
    expect(failed.stderr).toContain('endless was not ready within 3 s')
    expect(failed.peakBytes).toBeLessThan(MOST_BYTES)
  })

  test('does not keep a signal from ending the call', async () => {
    const endless = { image, command: ['sleep', '600'], ready: [{ exec: ['yes'] }], readyTimeout: '300s' }
    await fleet.declare({ endless, long: { image, command: ['sleep', '600'] } })
    const words = ['run', '--verbose', '--server', 'endless', '--', 'true']
    const running = startTestfleet(words, { cwd: fleet.folder, timeoutMs: 120_000 })
    await running.waitForOutput(/waiting for exec yes/)
    running.kill('SIGTERM')
    expect(await running.result).toMatchObject({ exitCode: 143 })
  })

  test('in one line of its log is printed in parts, in little memory', async () => {
    const logs = await measure(['logs', 'long'])
    expect(logs.exitCode).toBe(0)
    const lines = logs.stdout.split('\n').filter((line) => line !== 'long | ready' && line !== '')
    expect(lines.reduce((sum, line) => sum + line.length - 'long | '.length, 0)).toBe(LONG_BYTES)
    expect(logs.peakBytes).toBeLessThan(MOST_BYTES)
    expect(logs.unwaited).toBe(0)
  })

  test('in a command is printed in little memory', async () => {
    const exec = await measure(['exec', 'long', '--', 'head', '-c', `${LONG_BYTES}`, '/dev/zero'])
    expect(exec.exitCode).toBe(0)
    expect(exec.stdout.length).toBe(LONG_BYTES)
    expect(exec.peakBytes).toBeLessThan(MOST_BYTES)
    expect(exec.unwaited).toBe(0)
  })

  test('cannot be printed as one JSON document, neither its log nor the output of a command', async () => {
    const json = await measure(['logs', 'long', '--json'])
    expect(json.exitCode).toBe(1)
    expect(JSON.parse(json.stdout).error).toMatchObject({ code: 'OUTPUT_TOO_LONG' })
    const exec = await measure(['exec', 'long', '--json', '--', 'yes'])
    expect(exec.exitCode).toBe(1)
    expect(JSON.parse(exec.stdout).error).toMatchObject({ code: 'OUTPUT_TOO_LONG' })
  })
})
