import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { formatSeconds, root, run } from './run.ts'

/**
 * All that is held against a change, the quick things first. What fails ends the run: what comes after it takes
 * longer, and says the same again or less. With `--all`, the tests too that say again what others say.
 */
interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Whether it counts its tests. */
  readonly isTests: boolean
}

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const isAll = process.argv.includes('--all')
/** A few whose clients and servers are small; the whole catalogue takes longer than all else. */
const chosenPresets = isAll ? [] : ['redis', 'dnsmasq'].map((name) => `tests/catalogue/${name}.test.ts`)

const steps: readonly Step[] = [
  { name: 'check', command: ['node', 'tools/check.ts'], isTests: false },
  { name: 'unit', command: ['vitest', 'run', '--project', 'unit'], isTests: true },
  { name: 'build', command: ['node', 'tools/build.ts'], isTests: false },
  { name: 'integration', command: ['vitest', 'run', '--project', 'integration'], isTests: true },
  { name: 'e2e', command: ['vitest', 'run', '--project', 'e2e'], isTests: true },
  { name: 'catalogue', command: ['vitest', 'run', '--project', 'catalogue', ...chosenPresets], isTests: true },
  { name: 'fault', command: ['vitest', 'run', '--project', 'fault'], isTests: true },
]

const tagsFilter = isAll ? [] : ['--tags-filter=!wide']
const cache = join(root, 'node_modules/.cache')
await mkdir(cache, { recursive: true })
const reports = await mkdtemp(join(cache, 'testfleet-tests-'))
const summary: string[] = []
let total: Counts = { passed: 0, failed: 0, skipped: 0 }
for (const step of steps) {
  process.stdout.write(`\n=== ${step.name}\n`)
  const { counts, tookMs } = await carryOut(step)
  total = add(total, counts)
  summary.push(formatLine(step, counts, tookMs))
  if (counts.failed > 0) break
}
await rm(reports, { recursive: true, force: true })

const left = steps.slice(summary.length).map((step) => `${step.name.padEnd(12)} not run`)
process.stdout.write(`\n${[...summary, ...left].join('\n')}\n\n${formatCounts(total)}\n`)
process.exitCode = total.failed === 0 ? 0 : 1

async function carryOut({ name, command, isTests }: Step): Promise<{ counts: Counts; tookMs: number }> {
  if (!isTests) {
    const { exitCode, tookMs } = await run(command, 'shown')
    return { counts: { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 }, tookMs }
  }
  const report = join(reports, `${name}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { exitCode, tookMs } = await run([...command, ...tagsFilter, ...reporters], 'shown')
  const counts = await readCounts(report)
  // No test at all, or an error outside of every test, fails the run without failing a test.
  const failed = exitCode === 0 ? counts.failed : Math.max(counts.failed, 1)
  return { counts: { ...counts, failed }, tookMs }
}

async function readCounts(report: string): Promise<Counts> {
  const text = await readFile(report, 'utf8').catch(() => '{}')
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = JSON.parse(text)
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests }
}

function add(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  }
}

function formatLine({ name, isTests }: Step, counts: Counts, tookMs: number): string {
  const result = isTests ? formatCounts(counts) : counts.failed === 0 ? 'ok' : 'FAILED'
  return `${name.padEnd(12)} ${result.padEnd(24)} ${formatSeconds(tookMs)}`
}

function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
