import { makeLocalStore, whyNoLocalEngine } from '../tests/support/local-store.ts'
import { run } from './run.ts'

/**
 * Runs tests of Vitest with the local engine instead of the container engine of this machine, which only gives the base image:
 * `node tools/test-local.ts --project catalogue`. Everything after the name is for `vitest run`. Servers are in a new folder,
 * which is removed at the end.
 */
const problem = await whyNoLocalEngine()
if (problem !== undefined) throw new Error(problem)
const store = await makeLocalStore()
process.env.TESTFLEET_ENGINE = store.url
try {
  const { exitCode } = await run(['vitest', 'run', ...process.argv.slice(2)], (text) => process.stdout.write(text))
  process.exitCode = exitCode
} finally {
  delete process.env.TESTFLEET_ENGINE
  await store.remove()
}
