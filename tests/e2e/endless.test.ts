import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandResult, removeFleetFolders, runTestfleet, startTestfleet } from '../support/command.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'

const image = 'debian:bookworm-slim'
/** On a busy machine, 415 MB of a call that keeps nothing are garbage; one that keeps the line needs 300 MB more. */
const MOST_KIB = 550 * 1024
const LONG_LINE_BYTES = 300_000_000

let fleet: StoryFleet

beforeAll(async () => {
  const longLine = `head -c ${LONG_LINE_BYTES} /dev/zero | tr '\\0' x; echo; echo ready; exec sleep 600`
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

/** Calls the command as a process of its own, and adds the most memory that it ever had. */
async function measure(words: readonly string[]): Promise<CommandResult & { readonly peakKib: number }> {
  const report = `process.on('exit', () => process._rawDebug('peak=' + process.resourceUsage().maxRSS))`
  const result = await runTestfleet(words, {
    cwd: fleet.folder,
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(report)}` },
    timeoutMs: 240_000,
  })
  const peaks = [...result.stderr.matchAll(/^peak=(\d+)$/gm)].map(([, kib]) => Number(kib))
  expect(peaks.length).toBeGreaterThan(0)
  return { ...result, peakKib: Math.max(...peaks) }
}

describe('a server whose output never ends', () => {
  test('in its exec check fails with READY_TIMEOUT, in little memory', async () => {
    const endless = { image, command: ['sleep', '600'], ready: [{ exec: ['yes'] }], readyTimeout: '3s' }
    await fleet.declare({ endless, long: { image, command: ['sleep', '600'] } })
    const failed = await measure(['run', '--server', 'endless', '--', 'true'])
    expect(failed).toMatchObject({ exitCode: 4, stdout: '' })
    expect(failed.stderr).toContain('endless was not ready within 3 s')
    expect(failed.peakKib).toBeLessThan(MOST_KIB)
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
    expect(lines.reduce((sum, line) => sum + line.length - 'long | '.length, 0)).toBe(LONG_LINE_BYTES)
    expect(logs.peakKib).toBeLessThan(MOST_KIB)
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
