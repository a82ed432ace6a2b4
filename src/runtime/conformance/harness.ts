import { randomBytes } from 'node:crypto'
import { acceptMiscounted } from '../../engine/conformance/harness.ts'
import type { ImageDetails } from '../../engine/image-types.ts'
import { type ContainerSpec, type ContainerSummary, plainContainer } from '../../model/container.ts'
import { type Labels, label } from '../../model/labels.ts'
import type { Runtime } from '../runtime.ts'

/** A runtime under test whose servers are made in one way, with additional functions for its tests. */
export interface ServersUnderTest {
  readonly runtime: Runtime
  /** What makes a command a server. */
  specify(command: readonly string[]): Pick<ContainerSpec, 'image'> & Partial<ContainerSpec>
  /** Opens a folder in which servers leave marks. */
  openMarks(harness: Harness<ServersUnderTest>): Promise<Marks>
  /** Creates and removes a server that has the labels of the session, and does not belong to it; where that is possible. */
  addStranger?(harness: Harness<ServersUnderTest>): Promise<void>
  close(): Promise<void>
}

/** A folder that servers have, whose path is in their variable MARKS. */
export interface Marks {
  /** What a server needs that leaves marks. */
  readonly spec: Pick<ContainerSpec, 'environment' | 'mounts'>
  has(mark: string): Promise<boolean>
}

/** A runtime of containers under test. */
export interface RuntimeUnderTest extends ServersUnderTest {
  /** Whether the tests can reach the loopback of the runtime's machine. */
  readonly sharesLoopback: boolean
  /** Builds an image with these labels, with or without a name, and further lines of a Dockerfile. */
  makeImage(labels: Labels, name: string | undefined, instructions?: string): Promise<void>
  /** Looks at an image, which is removed at the end. */
  describeImage(reference: string): Promise<Pick<ImageDetails, 'labels' | 'environment'> | undefined>
  countImages(labels: Labels): Promise<number>
}

export type Harness<Tested extends ServersUnderTest = RuntimeUnderTest> = Tested & HarnessTools

interface HarnessTools {
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

export async function openHarness<Tested extends ServersUnderTest>(tested: Tested): Promise<Harness<Tested>> {
  const { runtime } = tested
  const session = randomBytes(4).toString('hex')
  const labels = { [label.session]: session, [label.change]: session }
  let count = 0
  const name = (): string => `conformance-${++count}-${session}`
  const network = name()
  await runtime.createNetwork(network, labels)
  const spec = ({ command = ['sleep', 'infinity'], ...changes }: Partial<ContainerSpec> = {}): ContainerSpec => {
    const specified = tested.specify(command)
    return {
      ...plainContainer,
      ...{ name: name(), hostname: 'server', init: true, network: { name: network, aliases: [] } },
      ...specified,
      ...changes,
      environment: { ...specified.environment, ...changes.environment },
      labels: { ...labels, ...changes.labels },
    }
  }
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
