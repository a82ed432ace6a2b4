import { label } from '../../model/labels.ts'
import { type LeaseKind, leaseVolume, readSetAside } from '../../model/lease.ts'
import type { EngineCalls } from './engine-calls.ts'

export interface Task {
  readonly session: string
  readonly lease: string
  readonly kind: LeaseKind
  /** Whether what was made stays. */
  readonly isKept: boolean
}

/** How long an engine that cannot be reached is tried; then the next call of testfleet sees to it. */
const GIVE_UP_MS = 15 * 60_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
/** Between two looks of which both must find nothing: what was asked for by who died may still be under way. */
const SETTLE_MS = 1500

/** Does what is left to do once nobody holds a lease; tries again for as long as the engine is away. */
export async function cleanUp(task: Task, calls: EngineCalls): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS
  for (let pauseMs = FIRST_PAUSE_MS; performance.now() < giveUpAt; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await cleanOnce(task, calls)
    } catch {
      await pause(pauseMs)
    }
  }
}

async function cleanOnce(task: Task, calls: EngineCalls): Promise<void> {
  // A session that has been taken down by hand has taken its lease along, and its name may be another's by now.
  if (task.kind === 'time' && !(await isThere(task, calls))) return
  if (!task.isKept) await removeUntilNothingComes(task, calls)
  if (task.kind === 'work') await settleSetAside(task, calls)
  await remove(`/volumes/${leaseVolume(task.session, task.lease)}`, calls)
}

async function isThere(task: Task, calls: EngineCalls): Promise<boolean> {
  const { volumes } = await find(`${label.lease}=${task.lease}`, calls)
  return volumes.includes(leaseVolume(task.session, task.lease))
}

async function removeUntilNothingComes(task: Task, calls: EngineCalls): Promise<void> {
  const filter = task.kind === 'time' ? `${label.session}=${task.session}` : `${label.lease}=${task.lease}`
  for (let quietLooks = 0; quietLooks < 2; ) {
    const { containers, networks, volumes, images } = await find(filter, calls)
    const others = volumes.filter((volume) => volume !== leaseVolume(task.session, task.lease))
    const isNothing = containers.length + networks.length + others.length + images.length === 0
    quietLooks = isNothing ? quietLooks + 1 : 0
    if (isNothing) {
      if (quietLooks < 2) await pause(SETTLE_MS)
      continue
    }
    await Promise.all(containers.map(({ Id }) => remove(`/containers/${Id}?force=1&v=1`, calls)))
    await Promise.all(networks.map(({ Id }) => remove(`/networks/${Id}`, calls)))
    await Promise.all(others.map((volume) => remove(`/volumes/${encodeURIComponent(volume)}`, calls)))
    await Promise.all(images.map((reference) => remove(`/images/${reference}`, calls)))
  }
}

/** What the call had set aside comes back; or goes, when what it made stays. */
async function settleSetAside({ session, lease, isKept }: Task, calls: EngineCalls): Promise<void> {
  const { containers } = await find(`${label.session}=${session}`, calls)
  await Promise.all(
    containers.map(async ({ Id, Names }) => {
      const aside = readSetAside((Names?.[0] ?? '').replace(/^\//, ''))
      if (aside?.lease !== lease) return
      if (isKept) return remove(`/containers/${Id}?force=1&v=1`, calls)
      await calls.send('POST', `/containers/${Id}/rename?name=${aside.original}`)
      if (aside.ran) await calls.send('POST', `/containers/${Id}/start`)
    }),
  )
}

interface Found {
  readonly containers: readonly { readonly Id: string; readonly Names?: readonly string[] }[]
  readonly networks: readonly { readonly Id: string }[]
  readonly volumes: readonly string[]
  /** References of images that were not finished. */
  readonly images: readonly string[]
}

async function find(filter: string, calls: EngineCalls): Promise<Found> {
  const filters = `filters=${encodeURIComponent(JSON.stringify({ label: [filter] }))}`
  const [containers, networks, volumes, images] = await Promise.all([
    calls.get(`/containers/json?all=1&${filters}`),
    calls.get(`/networks?${filters}`),
    calls.get(`/volumes?${filters}`),
    calls.get(`/images/json?${filters}`),
  ])
  const { Volumes } = (volumes ?? {}) as { readonly Volumes?: readonly { readonly Name: string }[] | null }
  return {
    containers: (containers ?? []) as Found['containers'],
    networks: (networks ?? []) as Found['networks'],
    volumes: (Volumes ?? []).map(({ Name }) => Name),
    images: ((images ?? []) as readonly { readonly RepoTags?: readonly string[] | null }[])
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((reference) => !reference.includes('<none>')),
  }
}

/** What is gone already, or is being removed by another, is as good as removed; the next look tells. */
async function remove(path: string, calls: EngineCalls): Promise<void> {
  const status = await calls.send('DELETE', path)
  if (status >= 400 && status !== 404 && status !== 409) throw new Error(`HTTP ${status}`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
