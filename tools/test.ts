import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { formatSeconds, root, run } from './run.ts'
import { type Output, takeTurns } from './test/take-turns.ts'

/**
 * Runs every test of a change. A stage that fails ends the run, because later stages take longer. With `--all`, also
 * runs the tests that repeat a check in another form.
 */
interface Step {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** Whether the step reports test counts. */
  readonly isTests: boolean
}

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const isAll = process.argv.includes('--all')
if (isAll) {
  // Without it, many calls of the command share a process.
  process.env.TESTFLEET_TEST_COLD = '1'
  // Tries each property three times as often.
  process.env.TESTFLEET_TEST_ALL = '1'
}
/**
 * A preset with a small client and a small server; the whole catalogue takes longer than everything else. End-to-end
 * tests use three others, as the examples do.
 */
const chosenPresets = isAll ? [] : ['tests/catalogue/dnsmasq.test.ts']

const tool = (name: string): Step => ({ name, command: ['node', `tools/${name}.ts`], isTests: false })
const testsOf = (project: string, files: readonly string[] = [], name = project): Step => ({
  name,
  command: ['vitest', 'run', '--project', project, ...files],
  isTests: true,
})

/**
 * Files that leave dead sessions behind for a while. Any call cleans these up and reports it, which no test of `e2e`
 * expects.
 */
const leavingDead = ['engine', 'kill'].map((name) => `tests/fault/${name}.test.ts`)
const kills = testsOf('fault', leavingDead, 'fault: kills')
const otherFaults = testsOf(
  'fault',
  leavingDead.map((file) => `--exclude=${file}`),
  'fault: rest',
)

/**
 * Lanes of a stage run in parallel: tests mostly wait for the engine and leave the processors idle. `build` comes first
 * because the tests call its output. `unit` runs alone, so that its time is meaningful. `check` comes before the tests that
 * kill: at the same time as others, these time out.
 */
const stages: readonly (readonly (readonly Step[])[])[] = [
  [[tool('build'), testsOf('unit')]],
  [[testsOf('integration')], [tool('check'), kills]],
  [[testsOf('e2e')], [otherFaults, testsOf('catalogue', chosenPresets)]],
]

const startedAt = performance.now()
const tagsFilter = isAll ? [] : ['--tags-filter=!wide']
const cache = join(root, 'node_modules/.cache')
await mkdir(cache, { recursive: true })
const reports = await mkdtemp(join(cache, 'testfleet-tests-'))
const results = new Map<Step, { readonly counts: Counts; readonly tookMs: number }>()
for (const lanes of stages) {
  await carryOutStage(lanes)
  if (sumOf().failed > 0) break
}
await rm(reports, { recursive: true, force: true })

const summary = stages.flat(2).map((step) => formatLine(step))
const took = `all of it${' '.repeat(41)}${formatSeconds(performance.now() - startedAt)}`
process.stdout.write(`\n${[...summary, took].join('\n')}\n\n${formatCounts(sumOf())}\n`)
process.exitCode = sumOf().failed === 0 ? 0 : 1

async function carryOutStage(lanes: readonly (readonly Step[])[]): Promise<void> {
  const steps = lanes.flat()
  const outputs = takeTurns(steps.length, (text) => process.stdout.write(text))
  await Promise.all(
    lanes.map(async (lane) => {
      let isFailed = false
      for (const step of lane) {
        const output = outputs[steps.indexOf(step)]
        if (output === undefined) throw new Error(`${step.name} has no output`)
        if (!isFailed) isFailed = await carryOut(step, output)
        output.end()
      }
    }),
  )
}

/** Runs a step. Resolves with whether it failed. */
async function carryOut(step: Step, output: Output): Promise<boolean> {
  output.write(`\n=== ${step.name}\n`)
  const report = join(reports, `${step.name.replaceAll(/\W+/g, '-')}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const options = step.isTests ? [...tagsFilter, ...reporters] : []
  const { exitCode, tookMs } = await run([...step.command, ...options], output.write)
  const counts = await readCounts(report)
  // A run without tests, or with an error outside of tests, fails without a failed test.
  const failed = exitCode === 0 ? counts.failed : Math.max(counts.failed, 1)
  results.set(step, { counts: { ...counts, failed }, tookMs })
  return failed > 0
}

async function readCounts(report: string): Promise<Counts> {
  const text = await readFile(report, 'utf8').catch(() => '{}')
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = JSON.parse(text)
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests }
}

function sumOf(): Counts {
  const all = [...results.values()].map(({ counts }) => counts)
  const sum = (key: keyof Counts): number => all.reduce((total, counts) => total + counts[key], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}

function formatLine(step: Step): string {
  const name = step.name.padEnd(12)
  const result = results.get(step)
  if (result === undefined) return `${name} not run`
  const { counts, tookMs } = result
  const text = step.isTests ? formatCounts(counts) : counts.failed === 0 ? 'ok' : 'FAILED'
  return `${name} ${text.padEnd(36)} ${formatSeconds(tookMs)}`
}

function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
