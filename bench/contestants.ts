import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'rolldown'
import type { FloorRequest } from './floor.ts'
import { fleetName, redisCommand, writeRedisFleet } from './redis-fleet.ts'
import { type Timed, timeNode } from './time-process.ts'

/** The same steps, done by testfleet and by the floor. Each step is a separate process. */
export interface Contestants {
  /** Folder for files of the bench, removed after it. */
  readonly folder: string
  testfleetUp(count: number): Promise<Timed>
  testfleetDown(): Promise<Timed>
  testfleetVersion(): Promise<Timed>
  /** An empty program that imports the library. */
  importLibrary(): Promise<Timed>
  floorUp(count: number): Promise<Timed>
  floorDown(): Promise<Timed>
  emptyNode(): Promise<Timed>
  /** Removes everything that this bench, and an earlier one that was killed, has left on the engine and on the disk. */
  cleanUp(): Promise<void>
}

const dist = join(dirname(import.meta.dirname), 'dist')
const testfleetPath = join(dist, 'cli/testfleet.cjs')
const session = `${fleetName}-session`
/** Label of everything that the floor creates. */
const floorLabel = `dev.${fleetName}`

/** Runs one of the two with these arguments. */
type Run = (words: readonly string[], signal: AbortSignal | undefined) => Promise<Timed>

/**
 * Builds the image under as many names as needed, and the floor's script. With `engine`, testfleet uses that one, and the
 * floor still uses Docker's.
 */
export async function prepareContestants(
  maxCount: number,
  signal: AbortSignal,
  engine?: string | undefined,
): Promise<Contestants> {
  const usual: Run = (words, stop) => timeNode([testfleetPath, ...words], stop)
  const named = engine === undefined ? [] : ['--engine', engine]
  const testfleet: Run = (words, stop) => usual([...named, ...words], stop)
  const socketPath = findSocket(await usual(['doctor', '--json'], signal))
  const folder = await mkdtemp(join(tmpdir(), `${fleetName}-`))
  const floorPath = join(folder, 'floor.js')
  const floor: Run = (words, stop) => timeNode([floorPath, socketPath, ...words], stop)
  await writeFile(join(folder, 'library.mjs'), `import ${JSON.stringify(join(dist, 'index.js'))}\n`)
  const largestFleet = await writeRedisFleet(folder, maxCount)
  // The bundle that users get, without types to strip.
  await build({ input: join(import.meta.dirname, 'floor.ts'), platform: 'node', output: { file: floorPath } })
  const removeServers = async (): Promise<void> => {
    for (const label of [floorLabel, `dev.testfleet.fleet=${fleetName}`]) {
      // Until nothing is found: the engine may still carry out a request of an interrupted step.
      while (Number((await floor(['down', label], undefined)).stdout) > 0);
    }
  }
  const cleanUp = async (): Promise<void> => {
    try {
      await removeServers()
      await usual(['rmi', '-f', largestFleet], undefined)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  try {
    await removeServers()
    if (engine !== undefined) await testfleet(['build', '-f', largestFleet], signal)
    const built = await usual(['build', '-f', largestFleet, '--json'], signal)
    const { images } = JSON.parse(built.stdout) as { images: { s1: { image: string } } }
    return { folder, ...takeSteps(testfleet, floor, folder, images.s1.image, signal), cleanUp }
  } catch (error) {
    await cleanUp()
    throw error
  }
}

function takeSteps(
  testfleet: Run,
  floor: Run,
  folder: string,
  image: string,
  signal: AbortSignal,
): Omit<Contestants, 'folder' | 'cleanUp'> {
  return {
    async testfleetUp(count) {
      const fleet = await writeRedisFleet(folder, count)
      return testfleet(['up', '-f', fleet, '--session', session, '--json'], signal)
    },
    testfleetDown: () => testfleet(['down', '--session', session], signal),
    testfleetVersion: () => testfleet(['version'], signal),
    importLibrary: () => timeNode([join(folder, 'library.mjs')], signal),
    async floorUp(count) {
      const name = `${fleetName}-floor`
      const request: FloorRequest = { image, command: redisCommand, name, labels: { [floorLabel]: '' }, count }
      const path = join(folder, 'floor.json')
      await writeFile(path, JSON.stringify(request))
      return floor(['up', path], signal)
    },
    floorDown: () => floor(['down', floorLabel], signal),
    emptyNode: () => timeNode(['-e', '0'], signal),
  }
}

function findSocket({ stdout }: Timed): string {
  const { url } = (JSON.parse(stdout) as { location: { url: string } }).location
  if (url.startsWith('unix://')) return url.slice('unix://'.length)
  throw new Error(`the floor needs a unix socket, but the engine is at ${url}`)
}
