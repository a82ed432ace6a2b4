import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { countLeftovers, removeFleetFolders, SOON_MS, startTestfleet, waitForNothing } from '../support/command.ts'
import { makeFleet, makeName, type Servers } from '../support/story-fleet.ts'
import { runAtTerminal } from '../support/terminal.ts'

const image = 'debian:bookworm-slim'
const web: Servers[string] = { image, command: ['sleep', 'infinity'] }

afterAll(removeFleetFolders)

describe.concurrent('run --debug', () => {
  test('keeps the session of a command that fails until the person presses Enter', async () => {
    const fleet = await makeFleet({ web })
    const [session, done] = [makeName('debug'), join(fleet.folder, 'done')]
    // It ends once something was typed, and reads nothing of it.
    const script = 'echo runs; until read -t 0; do sleep 0.05; done; exit 3'
    const run = ['run', '--debug', '--session', session, '--', 'bash', '-c', script]
    const running = runAtTerminal(run, fleet.folder, [
      { wait: 'runs' },
      // Does not count as an answer: the question comes later.
      { send: '\r' },
      { wait: 'the command ended with exit code 3' },
      { wait: `testfleet exec --session ${session} web -- sh` },
      { wait: 'Press Enter or Ctrl-D' },
      { file: done },
      { send: '\r' },
    ])
    await vi.waitFor(async () => {
      const look = await fleet.call(['exec', '--session', session, 'web', '--', 'hostname'])
      expect(look).toMatchObject({ exitCode: 0, stdout: `web.${fleet.name}.test\n` })
    }, SOON_MS)
    await writeFile(done, '')
    expect(await running).toMatchObject({ exitCode: 3, isCooked: true })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('keeps what was started when the start fails, until Ctrl-C', async () => {
    const bad: Servers[string] = { ...web, ready: [{ exec: ['false'] }], readyTimeout: '1s' }
    const fleet = await makeFleet({ web, bad })
    const result = await runAtTerminal(['run', '--debug', '--', 'true'], fleet.folder, [
      { wait: 'error: bad was not ready' },
      { wait: 'testfleet logs --session \\S+ ' },
      { wait: 'Press Enter or Ctrl-D' },
      { send: '\x03' },
    ])
    expect(result.exitCode).toBe(4)
    expect(result.output.match(/error: bad was not ready/g)).toHaveLength(1)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('waits for the end of a pipe, and cleans up when it is killed meanwhile', async () => {
    const fleet = await makeFleet({ web })
    const prefix = ['bash', '-c', 'exec "$@" < <(exec sleep 600 2> /dev/null)', 'bash']
    const running = startTestfleet(['run', '--debug', '--', 'false'], { cwd: fleet.folder, prefix })
    await running.waitForOutput(/It is taken down when standard input ends, or on SIGTERM\./)
    running.kill('SIGKILL')
    await waitForNothing(fleet.name)
  })

  test('does not wait where nobody can answer, nor for a command that succeeds', async () => {
    const fleet = await makeFleet({ web })
    const failed = await fleet.call(['run', '--debug', '--', 'false'])
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toContain('Not waiting for you to look around, because standard input is neither')
    expect(failed.stderr).not.toContain('--session')
    const passed = await fleet.done(['run', '--debug', '--', 'true'])
    expect(passed.stderr).not.toContain('kept for you')
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})
