import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import type { ImageSummary } from '../../engine/image-types.ts'
import type { ContainerNetwork, ContainerSummary, PublishedPort } from '../../model/container.ts'
import type { FollowRange } from '../../model/container-event.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { Port } from '../../model/fleet.ts'
import { type Labels, label } from '../../model/labels.ts'
import { say } from '../../model/surface.ts'
import type { Resource, Runtime, ServerAddresses, ServerChange, StopListener, StoredText } from '../runtime.ts'
import { removeContainer, stopContainer } from './stop-container.ts'
import { waitForEnd } from './wait-for-end.ts'

/** A runtime whose servers are containers of an engine: Docker or Podman. */
export function openContainers(engine: Engine, listener: StopListener = {}): Runtime {
  const bridges = new Set<string>()
  const listServers: Runtime['listServers'] = async (labels, options) =>
    (await engine.listContainers(labels, options)).filter(isOwnContainer)
  return {
    location: engine.location,
    listRecords: async (options) => (await engine.listVolumes({ [label.record]: '' }, options)).flatMap(readRecord),
    async storeRecord({ session, revision, writer, text }, { fleet, owner }, options) {
      const labels = {
        [label.session]: session,
        [label.fleet]: fleet,
        [label.record]: text,
        [label.writer]: writer,
        [label.owner]: owner,
      }
      const stored = await engine.createVolume(recordVolume(session, revision), labels, options)
      return stored[label.writer] ?? ''
    },
    removeRecord: (session, revision, options) => engine.removeVolume(recordVolume(session, revision), options),
    async observe(labels, options) {
      const [servers, networks, volumes] = await Promise.all([
        listServers(labels, options),
        engine.listNetworks(labels, options),
        engine.listVolumes(labels, options),
      ])
      return {
        servers,
        networks: networks.filter(({ name, labels }) => isNamedAfter(name, labels[label.session])),
        volumes: volumes.filter(isOwnVolume).map((volume): Resource => ({ id: volume.name, ...volume })),
      }
    },
    listServers,
    createNetwork: (name, labels, options) => engine.createNetwork(name, labels, options),
    async createVolume(name, labels, options) {
      const stored = await engine.createVolume(name, labels, options)
      if (!isLabelled(stored, labels)) throw volumeTaken(name)
    },
    removeNetwork: (id, options) => engine.removeNetwork(id, options),
    removeVolume: (name, options) => engine.removeVolume(name, options),
    listSavedImages: async (session, options) =>
      (await engine.listImages({ [label.session]: session }, options)).filter(isSaved),
    removeImage: (reference, options) => engine.removeImage(reference, options),
    removeUnfinishedImages: (change, options) => removeImages(engine, { [label.change]: change }, options),
    createsBeforeNetwork: (options) => engine.createsBeforeNetwork(options),
    // Without the signal: the engine would still create the container, and nobody would know its id.
    createServer: (spec, options) => engine.createContainer(spec, { timeoutMs: options?.timeoutMs }),
    copyServer: (id, changes, options) => engine.copyContainer(id, changes, { timeoutMs: options?.timeoutMs }),
    deliver: (id, folder, archive, options) => engine.putArchive(id, folder, archive, options),
    deliversIntoMounts: (options) => engine.unpacksIntoMounts(options),
    fetch: (id, path, maxBytes, options) => engine.getArchive(id, path, maxBytes, options),
    readArchive: (id, path, options) => engine.readArchive(id, path, options),
    statPath: (id, path, options) => engine.statPath(id, path, options),
    startServer: (id, options) => engine.startContainer(id, options),
    stopServer: (server, options) => stopContainer(engine, server, listener, options),
    killServer: (id, signal, options) => engine.killContainer(id, signal, options),
    pauseServer: (id, options) => engine.pauseContainer(id, options),
    resumeServer: (id, options) => engine.unpauseContainer(id, options),
    readMemory: (id, options) => engine.readMemory(id, options),
    removeServer: (server, options) => removeContainer(engine, server, listener, options),
    // Loaded on demand: few calls save a server.
    saveServer: async (...server) => (await import('./save-container.ts')).saveContainer(engine, ...server),
    inspectServer: (id, options) => engine.inspectContainer(id, options),
    waitServer: (id, options) => waitForEnd(engine, id, options),
    followServers: (session, range, options) => followServers(engine, session, range, options),
    readLogs: (id, request, options) => engine.readLogs(id, request, options),
    exec: (id, request, options) => engine.exec(id, request, options),
    reach: (server, ports) => reachContainer(server, ports, engine.location.remoteHost, bridges),
    findPublisher: async (port, options) => (await engine.listContainersPublishing(port, options))[0],
  }
}

async function* followServers(
  engine: Engine,
  session: string,
  range: FollowRange,
  options: CallOptions | undefined,
): AsyncGenerator<ServerChange> {
  for await (const event of engine.followEvents({ [label.session]: session, [label.server]: '' }, range, options)) {
    const { container: id, name, labels, ...change } = event
    const server = labels[label.server]
    if (server !== undefined && isOwnContainer({ name, labels })) yield { ...change, server, id }
  }
}

/**
 * Returns whether an object belongs to a session. Labels alone do not prove it, because an image can carry any label.
 * The name does: it ends with the random id of the change or session, and no image chooses a name.
 */
function isOwnContainer({ name, labels }: Named): boolean {
  return isNamedAfter(name, labels[label.change])
}

function isOwnVolume({ name, labels }: Named): boolean {
  // The engine names anonymous volumes.
  const isOfContainer = labels[label.volume] === undefined && /^[0-9a-f]{64}$/.test(name)
  return labels[label.record] === undefined && (isOfContainer || isNamedAfter(name, labels[label.session]))
}

/** An image that a person makes of a server has its labels, too. */
function isSaved({ references, labels }: ImageSummary): boolean {
  const isNamed = references.some((reference) => reference.startsWith('testfleet/'))
  return references.length === 0 ? (labels[label.snapshot] ?? '') !== '' : isNamed
}

interface Named {
  readonly name: string
  readonly labels: Labels
}

function isNamedAfter(name: string, id: string | undefined): boolean {
  return id !== undefined && id !== '' && /[-.]/.test(name.at(-id.length - 1) ?? '') && name.endsWith(id)
}

/** Name of a record's volume, for people; the data is in its labels. */
function recordVolume(session: string, revision: number): string {
  return `testfleet-${session}.${revision}`
}

function readRecord(volume: { name: string; labels: Labels; createdAtMs: number }): StoredText[] {
  const { [label.session]: session = '', [label.record]: text = '', [label.writer]: writer = '' } = volume.labels
  const revision = Number(volume.name.split('.').at(-1))
  if (!(revision >= 1) || volume.name !== recordVolume(session, revision)) return []
  return [{ session, revision, writer, text, createdAtMs: volume.createdAtMs }]
}

function isLabelled(stored: Labels, labels: Labels): boolean {
  return Object.entries(labels).every(([key, value]) => stored[key] === value)
}

function volumeTaken(name: string): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `a volume named ${name} already exists and does not belong to this session`, {
    hint: `Remove it if nobody needs it, or name another session with ${say('session')}.`,
  })
}

const IMAGE_PAUSE_MS = 100
const IMAGE_PATIENCE_MS = 5000

async function removeImages(engine: Engine, labels: Labels, options: CallOptions | undefined): Promise<void> {
  const images = await engine.listImages(labels, options)
  const names = images.flatMap(({ id, references }) => (references.length === 0 ? [id] : references))
  await Promise.all(names.map((name) => removeImage(engine, name, options)))
}

/**
 * Tries again for a moment: after a cancelled build, the classic builder still has a container of the image (seen with
 * 20.10).
 */
async function removeImage(engine: Engine, name: string, options: CallOptions = {}): Promise<void> {
  const giveUpAt = performance.now() + IMAGE_PATIENCE_MS
  for (;;) {
    try {
      return await engine.removeImage(name, options)
    } catch (error) {
      if (!isFailure(error, 'ENGINE_REFUSED') || performance.now() > giveUpAt) throw error
    }
    await sleep(IMAGE_PAUSE_MS, undefined, { ...(options.signal && { signal: options.signal }) })
  }
}

/**
 * Returns the addresses of a container. `engineHost` is the name of the engine's machine; undefined for this machine.
 */
export function reachContainer(
  container: Pick<ContainerSummary, 'networks' | 'published'>,
  ports: readonly Port[],
  engineHost: string | undefined,
  bridges = new Set<string>(),
): ServerAddresses {
  const network = container.networks[0]
  const endpoints = new Map<string, { readonly host: string; readonly port: number }>()
  for (const port of ports) {
    const published = findPublished(container.published, port)
    // Of several addresses, tests get the first one in the fleet file.
    if (published === undefined || endpoints.has(endpointKey(port))) continue
    endpoints.set(endpointKey(port), {
      host: reachableHost(published.address, engineHost),
      port: published.port,
    })
  }
  const reachableIp = engineHost === undefined ? findReachableIp(network, bridges) : undefined
  return {
    isRemote: engineHost !== undefined,
    ip: network?.ip ?? '',
    reachableIp,
    endpoints,
    published: (port, protocol = 'tcp') => endpoints.get(`${port}/${protocol}`),
    direct: (port) => (reachableIp === undefined ? undefined : { host: reachableIp, port }),
  }
}

function findReachableIp(network: ContainerNetwork | undefined, bridges: Set<string>): string | undefined {
  if (network === undefined || network.ip === '') return undefined
  return isBridgeOfThisMachine(network.networkId, network.gateway, bridges) ? network.ip : undefined
}

function endpointKey(port: { readonly container: number; readonly protocol: string }): string {
  return `${port.container}/${port.protocol}`
}

function findPublished(published: readonly PublishedPort[], port: Port): PublishedPort | undefined {
  const found = published.filter((one) => one.container === port.container && one.protocol === port.protocol)
  return found.find(({ address }) => address === port.address) ?? found[0]
}

/** A wildcard address is reached at the engine's machine, or at this machine's loopback. */
function reachableHost(address: string, engineHost: string | undefined): string {
  const isEverywhere = address === '' || address === '0.0.0.0' || address === '::'
  if (isEverywhere) return engineHost ?? '127.0.0.1'
  return address
}

/**
 * Returns whether this machine has the bridge of that network. Docker and the local engine name the bridge after the network's id
 * and give it the gateway's address. A network of a rootless or remote engine, or in a virtual machine, can have the same
 * addresses without a bridge here: a packet to it would leave this machine. Looking takes a millisecond, so found
 * `bridges` are remembered.
 */
function isBridgeOfThisMachine(networkId: string, gateway: string, bridges: Set<string>): boolean {
  const bridge = `${networkId} ${gateway}`
  if (bridges.has(bridge)) return true
  const interfaces = networkInterfaces()
  const addresses = ['br-', 'tf'].flatMap((prefix) => interfaces[`${prefix}${networkId.slice(0, 12)}`] ?? [])
  const isHere = addresses.some(({ address }) => address === gateway)
  if (isHere) bridges.add(bridge)
  return isHere
}
