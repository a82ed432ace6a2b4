import { access } from 'node:fs/promises'
import { TestfleetError } from '../../../model/failures.ts'
import type { Labels } from '../../../model/labels.ts'
import { listNames, readName, readRecord, type Store, writeRecord } from '../store.ts'
import type { Local } from '../types.ts'
import { type Bridge, bridgeExists, makeBridge } from './bridge.ts'

/** `networks/<id>/network.json`. */
export interface NetworkRecord {
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly createdAtMs: number
}

export function networkNames(store: Store): string {
  return store.path('names', 'networks')
}

export function readNetwork({ store }: Local, id: string): Promise<NetworkRecord | undefined> {
  return readRecord(recordPath(store, id))
}

export function recordPath(store: Store, id: string): string {
  return store.path('networks', id, 'network.json')
}

/** Finds a network by its name or its id. */
export async function findNetwork(local: Local, nameOrId: string): Promise<NetworkRecord | undefined> {
  const id = (await readName(networkNames(local.store), encodeURIComponent(nameOrId))) ?? nameOrId
  return /^[0-9a-f]{64}$/.test(id) ? readNetwork(local, id) : undefined
}

/** Bridge of a network as it was made; undefined before it was. */
export function readBridge({ store }: Local, id: string): Promise<Bridge | undefined> {
  return readRecord(bridgePath(store, id))
}

function bridgePath(store: Store, id: string): string {
  return store.path('networks', id, 'bridge.json')
}

/** Makes the bridge of a network and keeps how it was made. */
export async function setUpBridge(local: Local, id: string, before?: Bridge): Promise<Bridge> {
  const bridge = await makeBridge(local.machine, id, before)
  await writeRecord(bridgePath(local.store, id), bridge)
  return bridge
}

/** Returns the bridge of a network. After a restart of the machine, makes it again. */
export async function ensureBridge(local: Local, id: string): Promise<Bridge> {
  const bridge = await readBridge(local, id)
  return bridge !== undefined && (await bridgeExists(id)) ? bridge : setUpBridge(local, id, bridge)
}

/** Container ids that have begun to use a network and have not left it. */
export function listMembers({ store }: Local, id: string): Promise<readonly string[]> {
  return listNames(store.path('networks', id, 'members'))
}

/** Whether a container exists, running or not. */
export function containerExists({ store }: Local, id: string): Promise<boolean> {
  return access(store.path('containers', id, 'container.json')).then(
    () => true,
    () => false,
  )
}

export function networkMissing(name: string): TestfleetError {
  return new TestfleetError('START_FAILED', `the container could not be started: network ${name} not found`, {
    hint: 'Run the command again: its network was removed in the meantime.',
  })
}
