import { join } from 'node:path'
import { expect, test } from 'vitest'
import { countLeftovers, runTestfleet } from '../support/command.ts'

const root = join(import.meta.dirname, '../..')

test(
  'the example comes up, is proved with real clients, and is gone',
  async () => {
    const prove = [process.execPath, 'examples/web/prove.ts']
    const words = ['run', '-f', 'examples/web/testfleet.yaml', '--', ...prove]
    // On a new machine it installs the packages of five servers.
    const result = await runTestfleet(words, { cwd: root, timeoutMs: 9 * 60_000 })
    expect(result.stdout, result.stderr).toMatch(/^33 passed, 0 failed$/m)
    expect(result.exitCode).toBe(0)
    expect(await countLeftovers('web')).toBe(0)
  },
  10 * 60_000,
)
