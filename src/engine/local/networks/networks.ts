import { rename, rm } from 'node:fs/promises'
import { TestfleetError } from '../../../model/failures.ts'
import type { Labels } from '../../../model/labels.ts'
import type { CallOptions, Engine, NetworkSummary } from '../../engine.ts'
import { findContainer, readLife } from '../containers/life.ts'
import { freeName, listNames, makeFolder, newId, takeName, undefinedIfGone, writeRecord } from '../store.ts'
import type { Local } from '../types.ts'
import { removeBridge } from './bridge.ts'
import { endNameServer } from './name-server.ts'
import {
  findNetwork,
  listMembers,
  type NetworkRecord,
  networkNames,
  readBridge,
  readNetwork,
  recordPath,
  setUpBridge,
} from './records.ts'

export function networkVerbs(local: Local) {
  return {
    async listNetworks(labels: Labels, options?: CallOptions): Promise<readonly NetworkSummary[]> {
      options?.signal?.throwIfAborted()
      const ids = await listNames(local.store.path('networks'))
      const records = await Promise.all(ids.map((id) => readNetwork(local, id)))
      return records.filter((record) => record !== undefined).filter((record) => hasLabels(record.labels, labels))
    },
    createNetwork: (name: string, labels: Labels, options?: CallOptions) => createNetwork(local, name, labels, options),
    removeNetwork: (id: string, options?: CallOptions) => removeNetwork(local, id, options),
  } satisfies Partial<Engine>
}

function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => key in labels && (value === '' || labels[key] === value))
}

async function createNetwork(local: Local, name: string, labels: Labels, options?: CallOptions): Promise<string> {
  const { store } = local
  const { signal } = options ?? {}
  signal?.throwIfAborted()
  const id = newId()
  const record: NetworkRecord = { id, name, labels, createdAtMs: Date.now() }
  // Written first, so that a network that was created in part can be found and removed.
  await makeFolder(store.path('networks', id))
  await writeRecord(recordPath(store, id), record)
  try {
    const isAlive = async (owner: string) => (await readNetwork(local, owner)) !== undefined
    const owner = await takeName(networkNames(store), encodeURIComponent(name), id, isAlive)
    if (owner !== id) throw new TestfleetError('NAME_TAKEN', `a network named ${name} already exists`)
    await setUpBridge(local, id)
    signal?.throwIfAborted()
    return id
  } catch (error) {
    await discard(local, record)
    throw error
  }
}

async function removeNetwork(local: Local, nameOrId: string, options?: CallOptions): Promise<void> {
  options?.signal?.throwIfAborted()
  const record = await findNetwork(local, nameOrId)
  if (record === undefined) return
  await refuseInUse(local, record)
  // A container that begins to use the network now either finds no record or is seen by the second look.
  const path = recordPath(local.store, record.id)
  const aside = local.store.path('networks', record.id, 'removed.json')
  if ((await rename(path, aside).then(() => true, undefinedIfGone)) === undefined) return
  await refuseInUse(local, record).catch(async (error) => {
    await rename(aside, path)
    throw error
  })
  await rename(aside, path)
  await discard(local, record)
}

/** The record goes last: until then, another call can finish the removal. */
async function discard(local: Local, { id, name }: NetworkRecord): Promise<void> {
  await endNameServer(id)
  const bridge = await readBridge(local, id)
  await removeBridge(local.machine, id, bridge?.hasAccepts ?? true)
  await freeName(networkNames(local.store), encodeURIComponent(name), id)
  await rm(local.store.path('networks', id), { recursive: true, force: true })
}

async function refuseInUse(local: Local, { id, name }: NetworkRecord): Promise<void> {
  const members = await listMembers(local, id)
  const names = (await Promise.all(members.map((member) => userName(local, member)))).filter(
    (found) => found !== undefined,
  )
  if (names.length === 0) return
  const which = names.length === 1 ? 'the container' : 'the containers'
  throw new TestfleetError('ENGINE_REFUSED', `the network ${name} is still used by ${which} ${names.join(', ')}`, {
    hint: 'Stop them first.',
  })
}

/** Name of a container that runs or is about to; undefined for any other. */
async function userName(local: Local, id: string): Promise<string | undefined> {
  const record = await findContainer(local, id)
  if (record === undefined) return undefined
  return (await readLife(local, record)).state === 'exited' ? undefined : record.name
}
