import { randomBytes } from 'node:crypto'
import { acceptMiscounted } from '../../engine/conformance/harness.ts'
import type { ImageDetails } from '../../engine/image-types.ts'
import { type ContainerSpec, type ContainerSummary, plainContainer } from '../../model/container.ts'
import { type Labels, label } from '../../model/labels.ts'
import type { Runtime } from '../runtime.ts'

/** A runtime under test, with additional functions for its tests. */
export interface RuntimeUnderTest {
  readonly runtime: Runtime
  /** Image with a shell and perl. */
  readonly image: string
  /** Whether the tests can reach the loopback of the runtime's machine. */
  readonly sharesLoopback: boolean
  /** Builds an image with these labels, with or without a name, and further lines of a Dockerfile. */
  makeImage(labels: Labels, name: string | undefined, instructions?: string): Promise<void>
  /** Looks at an image, which is removed at the end. */
  describeImage(reference: string): Promise<Pick<ImageDetails, 'labels' | 'environment'> | undefined>
  countImages(labels: Labels): Promise<number>
  /** Removes the images that were built. */
  close(): Promise<void>
}

export interface Harness extends RuntimeUnderTest {
  /** Labels of a session that nothing else uses; everything created here carries them. */
  readonly labels: Labels
  readonly session: string
  /** Network of all servers. */
  readonly network: string
  name(): string
  spec(changes?: Partial<ContainerSpec>): ContainerSpec
  /** Creates, starts and inspects a server. */
  start(changes?: Partial<ContainerSpec>): Promise<ContainerSummary>
  find(id: string): Promise<ContainerSummary>
  sweep(): Promise<void>
}

export async function openHarness(tested: RuntimeUnderTest): Promise<Harness> {
  const { runtime, image } = tested
  const session = randomBytes(4).toString('hex')
  const labels = { [label.session]: session, [label.change]: session }
  let count = 0
  const name = (): string => `conformance-${++count}-${session}`
  const network = name()
  await runtime.createNetwork(network, labels)
  const spec = (changes: Partial<ContainerSpec> = {}): ContainerSpec => ({
    ...plainContainer,
    ...{ name: name(), image, hostname: 'server', command: ['sleep', 'infinity'], init: true },
    network: { name: network, aliases: [] },
    ...changes,
    labels: { ...labels, ...changes.labels },
  })
  const find = async (id: string): Promise<ContainerSummary> => {
    const found = (await runtime.listServers(labels)).find((server) => server.id === id)
    if (found === undefined) throw new Error(`there is no server ${id}`)
    return found
  }
  return {
    ...tested,
    labels,
    session,
    network,
    name,
    spec,
    find,
    async start(changes) {
      const id = await runtime.createServer(spec(changes))
      await runtime.startServer(id)
      return find(id)
    },
    async sweep() {
      const { servers, networks, volumes } = await runtime.observe(labels)
      await Promise.all(servers.map((server) => runtime.removeServer({ ...server, labels: {} })))
      await Promise.all(networks.map(({ id }) => runtime.removeNetwork(id).catch(acceptMiscounted)))
      await Promise.all(volumes.map(({ id }) => runtime.removeVolume(id)))
    },
  }
}
