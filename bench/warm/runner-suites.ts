import { spawn } from 'node:child_process'
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { testfleet, testfleetPath, type WarmBench } from './bench-tools.ts'
import { writeTestImage, writeTestServer } from './fleets.ts'
import type { Row } from './row.ts'
import { orderOf } from './turns.ts'

const root = dirname(dirname(import.meta.dirname))
const require = createRequire(import.meta.url)
/** Files of each suite, and workers that run them. */
const FILES = 8

interface Runner {
  readonly name: string
  /** The suite in `suites/`, and the name of its copy with this number. */
  readonly suite: string
  fileOf(number: number): string
  readonly files: Readonly<Record<string, string>>
  readonly command: readonly string[]
  /** What starts a container for each test. */
  readonly container: string
}

const workers = String(FILES)
const runners: readonly Runner[] = [
  {
    ...{ name: 'Vitest', suite: 'vitest.mjs', fileOf: (number) => `rows-${number}.test.mjs`, files: {} },
    command: [process.execPath, vitestPath(), 'run', '--maxWorkers', workers, '--testTimeout', '600000'],
    container: 'testcontainers',
  },
  {
    ...{ name: 'Jest', suite: 'jest.cjs', fileOf: (number) => `rows-${number}.test.cjs` },
    files: { 'jest.config.cjs': "module.exports = { testMatch: ['**/*.test.cjs'] }\n" },
    command: [process.execPath, require.resolve('jest/bin/jest'), '--maxWorkers', workers, '--testTimeout', '600000'],
    container: 'testcontainers',
  },
  {
    ...{
      name: 'pytest',
      suite: 'pytest.py',
      fileOf: (number) => `test_rows_${number}.py`,
      files: { 'pytest.ini': '' },
    },
    command: ['/usr/bin/python3', '-m', 'pytest', '-q', '-n', workers, '--dist', 'loadfile', '-p', 'no:cacheprovider'],
    container: 'docker run',
  },
]

/** Containers come last in a single round: files deleted shortly before slow down those that are made. */
const ways = ['lease', 'shared', 'container'] as const

type Way = (typeof ways)[number]

function vitestPath(): string {
  return join(root, 'node_modules/vitest/vitest.mjs')
}

/**
 * Small database tests in the runners that people have: each with a lease, each with a container of its own, and all in one
 * database. Whole runs, from nothing to nothing. pytest needs Debian's python3-pytest-xdist and python3-psycopg2.
 */
export const runnerSuites: Readonly<Record<string, (bench: WarmBench) => Promise<Row[]>>> = Object.fromEntries(
  runners.map((runner) => [runner.name.toLowerCase(), (bench) => measureRunner(runner, bench)]),
)

async function measureRunner(runner: Runner, { folder, rounds, isQuick, signal, tell }: WarmBench): Promise<Row[]> {
  const tests = isQuick ? 40 : 200
  tell(`images for ${runner.name}`)
  const own = await writeTestImage(join(folder, 'suite-image'))
  const built = await testfleet(['build', '-f', own, '--json'], signal)
  const { images } = JSON.parse(built.stdout) as { images: { db: { image: string } } }
  const suite = await writeSuite(runner, join(folder, runner.name.toLowerCase()))
  await testfleet(['build', '-f', join(suite, 'testfleet.yaml')], signal)
  const env = { BENCH_TESTS: String(tests / FILES), BENCH_IMAGE: images.db.image }
  const times: Record<Way, number[]> = { lease: [], container: [], shared: [] }
  for (let round = 1; round <= rounds; round++) {
    for (const way of orderOf(ways, round)) {
      tell(`${tests} tests of ${runner.name} by ${way}, round ${round} of ${rounds}`)
      times[way].push((await timeSuite(runner, suite, { ...env, BENCH_WAY: way }, signal)) / 1000)
    }
  }
  const row = { what: `${tests} tests of ${runner.name}, a lease each`, unit: 's', values: times.lease } as const
  return [
    { ...row, aim: 'ratio ≥ 8', compared: { name: `a container each, ${runner.container}`, values: times.container } },
    { ...row, what: 'the same', aim: 'ratio ≥ 0.67', compared: { name: 'one database for all', values: times.shared } },
  ]
}

async function writeSuite({ suite, fileOf, files }: Runner, folder: string): Promise<string> {
  await writeTestServer(folder)
  const suites = join(import.meta.dirname, 'suites')
  await copyFile(join(suites, 'rows.cjs'), join(folder, 'rows.cjs'))
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text)
  const modules = join(folder, 'node_modules')
  await mkdir(modules)
  await symlink(root, join(modules, 'testfleet'))
  await symlink(join(root, 'node_modules/vitest'), join(modules, 'vitest'))
  const binary = join(modules, '.bin/testfleet')
  await mkdir(dirname(binary))
  await writeFile(binary, `#!/bin/sh\nexec '${process.execPath}' '${testfleetPath}' "$@"\n`, { mode: 0o755 })
  for (let number = 0; number < FILES; number++) await copyFile(join(suites, suite), join(folder, fileOf(number)))
  return folder
}

/** Returns the milliseconds of the run, until the runner has ended. */
async function timeSuite(
  { command, name }: Runner,
  cwd: string,
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted()
  const python = { PYTHONPATH: join(root, 'clients/python'), PYTEST_PLUGINS: 'testfleet_pytest.plugin' }
  const env = { ...process.env, ...variables, ...python, TESTCONTAINERS_RYUK_DISABLED: 'true', NO_COLOR: '1' }
  const startedAt = performance.now()
  const [file = '', ...words] = command
  const child = spawn(file, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-100_000)
    })
  }
  const interrupt = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', interrupt, { once: true })
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal.throwIfAborted()
    if (code !== 0) throw new Error(`${name} ended with ${code}:\n${output}`)
    const passed = /(\d+) passed/g
    const all = String(Number(variables.BENCH_TESTS) * FILES)
    if (![...output.matchAll(passed)].some(([, count]) => count === all))
      throw new Error(`not ${all} passed:\n${output}`)
    return performance.now() - startedAt
  } finally {
    signal.removeEventListener('abort', interrupt)
  }
}
