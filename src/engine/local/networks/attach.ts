import { randomBytes } from 'node:crypto'
import { access, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { TestfleetError } from '../../../model/failures.ts'
import type { CallOptions } from '../../engine.ts'
import { callProgram } from '../programs.ts'
import { listNames, readName, readRecord, takeName, writeRecord } from '../store.ts'
import type { Attachment, ContainerRecord, Local } from '../types.ts'
import { callIp, runIp } from './batch.ts'
import { type Bridge, bridgeOf, groupOf } from './bridge.ts'
import { joinNames, leaveNames, readMembers } from './hosts.ts'
import { ensureNameServer } from './name-server.ts'
import { type ReservedPort, reservePorts } from './ports.ts'
import { publish, unpublish } from './publish.ts'
import { containerExists, ensureBridge, findNetwork, networkMissing, readNetwork } from './records.ts'
import { writeResolver } from './resolver.ts'
import { addressIn, addressNumbers } from './subnets.ts'

/** A container's place in its network, and what keeps its published ports. */
export interface Attached {
  readonly attachment: Attachment
  /** Sockets that take the published ports. The container's monitor inherits them, and so keeps the ports as long as it lives. */
  readonly descriptors: readonly number[]
  /** Program, with its words, that stops the redirection when the container has ended. Undefined when it publishes nothing. */
  readonly onExit: readonly [string, ...string[]] | undefined
  /** Closes the sockets here: call it once the monitor has been started, or when it could not be. */
  release(): void
}

/**
 * Connects a container to its network before it starts: its network namespace, hosts file, resolv.conf and published
 * ports. Keeps the address of an earlier start. START_FAILED, PORT_TAKEN; leaves nothing behind then.
 */
export async function attach(local: Local, record: ContainerRecord, options: CallOptions = {}): Promise<Attached> {
  const { id, spec } = record
  const earlier = await readAttachment(local, id)
  const network = await findNetwork(local, spec.network.name)
  if (network === undefined) throw networkMissing(spec.network.name)
  const [bridge] = await Promise.all([ensureBridge(local, network.id), loosen(local, id, earlier, true)])
  const reserved = await reservePorts(spec.ports, local.forwards)
  try {
    const ip = await takeAddress(local, network.id, bridge, id, earlier)
    const namespace = join(NAMESPACES, `testfleet-${id.slice(0, 16)}`)
    const outside = `tv${id.slice(0, 7)}${randomBytes(3).toString('hex')}`
    const published = reserved.map((port) => port.published)
    const attachment = {
      networkId: network.id,
      networkName: network.name,
      namespace,
      outside,
      ip,
      gateway: bridge.gateway,
      published,
    }
    // Written before anything is made: what it names is removed by `detach`, however far this call gets.
    await writeRecord(attachmentPath(local, id), attachment)
    const publishing = publish(local, id, attachment)
    const naming = nameServerOf(local, network.id, bridge.gateway)
    const steps = [publishing, link(local, attachment, options), joinNames(local, record, attachment)]
    const resolving = naming.then((server) => writeResolver(local, record, server))
    // All have ended before the first failure counts: nothing is made any more once it is removed.
    const failed = (await Promise.allSettled([...steps, resolving])).find(isRejected)
    if (failed !== undefined) throw failed.reason
    const onExit = await publishing
    if ((await readNetwork(local, network.id)) === undefined) throw networkMissing(network.name)
    return {
      attachment,
      descriptors: reserved.flatMap(({ descriptor }) => (descriptor === undefined ? [] : [descriptor])),
      onExit,
      release: () => release(reserved),
    }
  } catch (error) {
    release(reserved)
    await local.forwards?.remove(reserved.map((port) => port.published))
    await detach(local, id).catch(() => {})
    throw error
  }
}

const named = new Map<string, Promise<string | undefined>>()

/** Returns the address of the network's name server, which is looked for, or started, once in each process. */
function nameServerOf(local: Local, networkId: string, gateway: string): Promise<string | undefined> {
  const found =
    named.get(networkId) ??
    ensureNameServer(local, networkId, gateway, () => readMembers(local, networkId)).then((isThere) =>
      isThere ? gateway : undefined,
    )
  named.set(networkId, found)
  return found
}

/** Where a container is in its network, or was when it ran last. */
export function readAttachment(local: Local, id: string): Promise<Attachment | undefined> {
  return readRecord(attachmentPath(local, id))
}

/**
 * Takes a container that has ended out of its network: its names and its published ports. Its address stays its own. No
 * error if nothing is there.
 */
export async function leave(local: Local, id: string): Promise<void> {
  const attachment = await readAttachment(local, id)
  if (attachment === undefined) return
  await Promise.all([unpublish(local, id, attachment), leaveNames(local, attachment.networkId, id)])
}

/**
 * Removes everything that connects a container to its network. No error if nothing is there. Its address is given to
 * another one only when there are no others, so that nobody mistakes the two.
 */
export async function detach(local: Local, id: string): Promise<void> {
  const attachment = await readAttachment(local, id)
  await loosen(local, id, attachment, false)
  await rm(attachmentPath(local, id), { force: true })
}

/** Removes what an earlier start has made, except the address. */
async function loosen(
  local: Local,
  id: string,
  attachment: Attachment | undefined,
  startsAgain: boolean,
): Promise<void> {
  if (attachment === undefined) return
  await Promise.all([
    unpublish(local, id, attachment),
    leaveNames(local, attachment.networkId, id),
    removeNamespace(local, attachment, startsAgain),
  ])
}

const NAMESPACES = '/run/netns'

function attachmentPath({ store }: Local, id: string): string {
  return store.path('containers', id, 'network.json')
}

function addressesOf({ store }: Local, networkId: string): string {
  return store.path('networks', networkId, 'addresses')
}

/**
 * The kernel removes the interfaces of a namespace some time after it, and much later when a connection is still open in it.
 * That disturbs nothing but a new start of the same container, whose address is the same.
 */
async function removeNamespace(
  { machine }: Local,
  { namespace, outside }: Attachment,
  startsAgain: boolean,
): Promise<void> {
  if (machine.prefix.length === 0 && (await access(namespace).catch(() => 'gone')) === 'gone') return
  await runIp(machine, [...(startsAgain ? [`link delete ${outside}`] : []), `netns delete ${basename(namespace)}`])
}

/** Addresses that a call of this process tries to take now. */
const tried = new Set<string>()

async function takeAddress(
  local: Local,
  networkId: string,
  bridge: Bridge,
  id: string,
  earlier: Attachment | undefined,
): Promise<string> {
  const folder = addressesOf(local, networkId)
  const before = earlier?.networkId === networkId ? earlier.ip.slice(earlier.ip.lastIndexOf('.') + 1) : undefined
  if (before !== undefined && (await readName(folder, before)) === id) return addressIn(bridge, Number(before))
  const isAlive = (owner: string): Promise<boolean> => containerExists(local, owner)
  const taken = new Set(await listNames(folder))
  const all = Array.from(
    { length: addressNumbers.last - addressNumbers.first + 1 },
    (_, at) => at + addressNumbers.first,
  )
  // Free ones first; then those of containers that are gone. Calls of this process do not try the same one.
  for (const number of [...all].sort((a, b) => Number(taken.has(`${a}`)) - Number(taken.has(`${b}`)))) {
    const trying = join(folder, `${number}`)
    if (tried.has(trying)) continue
    tried.add(trying)
    try {
      if ((await takeName(folder, `${number}`, id, isAlive)) === id) return addressIn(bridge, number)
    } finally {
      tried.delete(trying)
    }
  }
  throw new TestfleetError('START_FAILED', 'the container could not be started: its network has no address left', {
    hint: `A network has ${all.length} addresses. Remove containers that nobody uses.`,
  })
}

/** Makes the namespace with its two interfaces. */
async function link(
  { machine }: Local,
  { networkId, namespace, outside, ip, gateway, published }: Attachment,
  { signal }: CallOptions,
): Promise<void> {
  const name = basename(namespace)
  const hex = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  const peer = `peer name eth0 address 02:42:${hex.join(':')} netns ${name}`
  await callIp(machine, [
    `netns add ${name}`,
    `link add ${outside} up master ${bridgeOf(networkId)} group ${groupOf(networkId)} type veth ${peer}`,
    // For a container that reaches itself by a port that it publishes.
    ...(published.length > 0 ? [`link set ${outside} type bridge_slave hairpin on`] : []),
  ])
  signal?.throwIfAborted()
  const inside = [
    'link set lo up',
    'link set eth0 addrgenmode none',
    `addr add ${ip}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${gateway}`,
  ]
  const words = ['-n', name, '-batch', '-']
  await callProgram(machine, 'ip', { arguments: words, input: `${inside.join('\n')}\n`, signal })
}

function isRejected(result: PromiseSettledResult<unknown>): result is PromiseRejectedResult {
  return result.status === 'rejected'
}

function release(reserved: readonly ReservedPort[]): void {
  for (const port of reserved) port.release()
}
