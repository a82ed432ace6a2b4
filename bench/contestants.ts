import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'rolldown'
import type { FloorRequest } from './floor.ts'
import { fleetName, redisCommand, writeRedisFleet } from './redis-fleet.ts'
import { type Timed, timeNode } from './time-process.ts'

/** The same steps, done by testfleet and by the floor. Each step is a whole process. */
export interface Contestants {
  testfleetUp(count: number): Promise<Timed>
  testfleetDown(): Promise<Timed>
  testfleetVersion(): Promise<Timed>
  floorUp(count: number): Promise<Timed>
  floorDown(): Promise<Timed>
  emptyNode(): Promise<Timed>
  /** Removes all that this bench, and an earlier one that was killed, has left on the engine and on the disk. */
  cleanUp(): Promise<void>
}

const testfleetPath = join(dirname(import.meta.dirname), 'dist/cli/testfleet.cjs')
const session = `${fleetName}-session`
/** Everything of the floor carries it. */
const floorLabel = `dev.${fleetName}`

/** Builds the image, in as many names as there are servers at most, and the floor's script. */
export async function prepareContestants(maxCount: number, signal: AbortSignal): Promise<Contestants> {
  const folder = await mkdtemp(join(tmpdir(), `${fleetName}-`))
  const largestFleet = await writeRedisFleet(folder, maxCount)
  const testfleet = (words: readonly string[], stop: AbortSignal | undefined): Promise<Timed> =>
    timeNode([testfleetPath, ...words], stop)

  const floorPath = join(folder, 'floor.js')
  const socketPath = findSocket(await testfleet(['doctor', '--json'], signal))
  const floor = (words: readonly string[], stop: AbortSignal | undefined): Promise<Timed> =>
    timeNode([floorPath, socketPath, ...words], stop)

  const cleanUp = async (): Promise<void> => {
    await floor(['down', floorLabel], undefined)
    await floor(['down', `dev.testfleet.fleet=${fleetName}`], undefined)
    await testfleet(['rmi', '-f', largestFleet], undefined)
    await rm(folder, { recursive: true, force: true })
  }

  await build({ input: join(import.meta.dirname, 'floor.ts'), platform: 'node', output: { file: floorPath } })
  try {
    const built = await testfleet(['build', '-f', largestFleet, '--json'], signal)
    const image = (JSON.parse(built.stdout) as { images: { s1: { image: string } } }).images.s1.image
    return { ...contest(testfleet, floor, folder, image, signal), cleanUp }
  } catch (error) {
    await cleanUp()
    throw error
  }
}

type Run = (words: readonly string[], stop: AbortSignal | undefined) => Promise<Timed>

function contest(
  testfleet: Run,
  floor: Run,
  folder: string,
  image: string,
  signal: AbortSignal,
): Omit<Contestants, 'cleanUp'> {
  return {
    async testfleetUp(count) {
      const fleet = await writeRedisFleet(folder, count)
      return testfleet(['up', '-f', fleet, '--session', session, '--json'], signal)
    },
    testfleetDown: () => testfleet(['down', '--session', session], signal),
    testfleetVersion: () => testfleet(['version'], signal),
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
  throw new Error(`the floor speaks to a unix socket, and the engine is at ${url}`)
}
