import { fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openDatabase, withDatabase } from './bench-tools.ts'

/** `run-tests.ts WAY TESTS FOLDER IMAGE`: shares the tests among eight processes, as test runners do. */
const WORKERS = 8
const [way = '', tests = '', folder = '', image = ''] = process.argv.slice(2)

if (way === 'template') await makeTemplate()
const worker = join(import.meta.dirname, 'test-worker.ts')
const share = (index: number): number =>
  Math.floor((Number(tests) * (index + 1)) / WORKERS) - Math.floor((Number(tests) * index) / WORKERS)
const codes = await Promise.all(
  Array.from({ length: WORKERS }, (_, index) => {
    const child = fork(worker, [way, String(share(index)), folder, image, String(index)])
    return new Promise((resolve) => child.once('close', resolve))
  }),
)
process.exitCode = codes.every((code) => code === 0) ? 0 : 1

/** What a person does once for a run, so that no test has the template open. */
async function makeTemplate(): Promise<void> {
  const url = process.env.DATABASE_URL ?? ''
  const packages = createRequire(join(folder, 'bench.cjs'))
  const database = await openDatabase(packages, withDatabase(url, 'postgres'))
  await database.query(`CREATE DATABASE test_template TEMPLATE "${new URL(url).pathname.slice(1)}"`)
  await database.end()
}
