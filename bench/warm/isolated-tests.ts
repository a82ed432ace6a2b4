import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { testfleet, testfleetPath, type WarmBench } from './bench-tools.ts'
import { writeTestImage, writeTestServer } from './fleets.ts'
import type { Row } from './row.ts'
import type { Way } from './test-worker.ts'
import { orderOf } from './turns.ts'

/** Small database tests, each with a database that no other test has seen. Whole runs, from nothing to nothing. */
export async function measureIsolatedTests({ folder, rounds, isQuick, signal, tell }: WarmBench): Promise<Row[]> {
  const tests = isQuick ? 40 : 200
  const server = await writeTestServer(join(folder, 'tests'))
  const own = await writeTestImage(join(folder, 'tests-image'))
  tell('images of the small tests')
  await testfleet(['build', '-f', server], signal)
  const built = await testfleet(['build', '-f', own, '--json'], signal)
  const { images } = JSON.parse(built.stdout) as { images: { db: { image: string } } }
  const run = join(import.meta.dirname, 'run-tests.ts')
  const words = (way: Way): string[] => [run, way, String(tests), folder, images.db.image]
  const inFleet = (way: Way): string[] => [
    ...[testfleetPath, 'run', '-f', server, '--quiet', '--', process.execPath],
    ...words(way),
  ]
  const times = { lease: [] as number[], template: [] as number[], container: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    for (const way of orderOf(['lease', 'template', 'container'] as const, round)) {
      tell(`${tests} isolated tests by ${way}, round ${round} of ${rounds}`)
      times[way].push((await timeTests(way === 'container' ? words(way) : inFleet(way), signal)) / 1000)
    }
  }
  const what = `${tests} isolated database tests, 8 workers`
  return [
    {
      ...{ what, unit: 's', values: times.lease, aim: 'ratio ≥ 8' },
      compared: { name: 'testcontainers', values: times.container },
    },
    {
      ...{ what: 'the same', unit: 's', values: times.lease, aim: 'ratio ≥ 0.67' },
      compared: { name: 'templates by hand', values: times.template },
    },
  ]
}

function timeTests(words: readonly string[], signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const startedAt = performance.now()
  // Its reaper is an image of its own, which is not part of what is compared; without it, it starts sooner.
  const env = { ...process.env, TESTCONTAINERS_RYUK_DISABLED: 'true' }
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'], env })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const interrupt = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', interrupt, { once: true })
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(performance.now() - startedAt)
      else reject(signal.aborted ? signal.reason : new Error(`${words.join(' ')} ended with ${code}:\n${stderr}`))
    })
  }).finally(() => signal.removeEventListener('abort', interrupt))
}
