import { join } from 'node:path'
import { expect, test } from 'vitest'
import { countLeftovers, runTestfleet } from '../support/command.ts'

const root = join(import.meta.dirname, '../..')

test(
  'the example starts, real clients can use its servers, and down removes everything',
  async () => {
    const tellSession = ['sh', '-c', 'echo "session $TESTFLEET_SESSION" && exec "$@"', 'sh']
    const prove = [...tellSession, process.execPath, 'examples/web/prove.ts']
    const words = ['run', '-f', 'examples/web/testfleet.yaml', '--', ...prove]
    // On a new machine it installs the packages of five servers.
    const result = await runTestfleet(words, { cwd: root, timeoutMs: 9 * 60_000 })
    expect(result.stdout, result.stderr).toMatch(/^33 passed, 0 failed$/m)
    expect(result.exitCode).toBe(0)
    // Others may run the same example on the same engine.
    const [, session] = /^session (web-\w+)$/m.exec(result.stdout) ?? []
    expect(session).toBeDefined()
    expect(await countLeftovers(session)).toBe(0)
  },
  10 * 60_000,
)
