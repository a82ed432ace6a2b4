import { relative } from 'node:path'
import type { AuthorityRecord } from '../model/certificate.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { formatHook } from '../model/hook.ts'
import type { Observed, ObservedServer } from '../model/observed.ts'
import type { Desired, DesiredServer, Operation, Plan, ServerUpdate } from '../model/plan.ts'
import type { ServerSpec } from '../model/session.ts'
import { unknownServer } from '../model/unknown-server.ts'
import { describeDifference } from './describe-difference.ts'
import { missingId, planImages } from './plan-images.ts'
import { planStops } from './plan-stops.ts'

/**
 * Returns the operations that turn what is observed into what is desired. Pure: equal input gives an equal plan.
 * Running servers are stopped only after every image is available, and removed only after everything else is done.
 */
export function reconcile(desired: Desired, observed: Observed): Plan {
  const wanted = inOrder(desired)
  const reasons = findReasons(wanted, observed)
  const images = planImages([...desired.servers.values()].map(({ server, image }) => ({ server: server.name, image })))
  const gone = desired.isWholeFleet
    ? [...observed.servers.values()].filter(({ name }) => !desired.servers.has(name))
    : []
  const replaced = [
    ...gone.map((now) => ({ now, reason: 'no longer in the fleet' })),
    ...wanted.flatMap(({ server: { name } }) => {
      const [now, reason] = [observed.servers.get(name), reasons.get(name)]
      return now === undefined || reason === undefined ? [] : [{ now, reason }]
    }),
  ]
  const imageIds = images.map(({ id }) => id)
  // Nothing ends an external server.
  const ended = replaced.filter(({ now }) => now.spec.external === undefined)
  const stops = planStops(ended, observed.servers, imageIds)
  const changes: Operation[] = [
    ...images,
    ...resourceOperations(wanted, observed),
    ...stops,
    ...wanted.flatMap((one) => serverOperations(one, desired, observed, { reasons, stops: stops.map(({ id }) => id) })),
  ]
  const left = gone.filter(({ spec }) => spec.external !== undefined)
  const updates = [
    ...wanted.flatMap((one) => updateOf(one, observed, reasons)),
    ...left.map(({ name }) => ({ server: name, reason: 'no longer in the fleet' })),
  ]
  const isChanged = changes.some(({ kind }) => kind !== 'keepServer')
  if (!isChanged && updates.length === 0 && !desired.isRecordNew)
    return { session: desired.session, operations: changes }
  const save: Operation = { id: 'record', needs: changes.map(({ id }) => id), kind: 'saveRecord', updates }
  const removals = ended.map(({ now: { name: server, container }, reason }): Operation => {
    return { id: `remove ${server}`, needs: [save.id], kind: 'removeServer', server, container, reason }
  })
  return { session: desired.session, operations: [...changes, save, ...removals] }
}

/** Sorts the servers so that each comes after its dependencies. The fleet file's checks exclude cycles. */
function inOrder(desired: Desired): DesiredServer[] {
  const ordered = new Map<string, DesiredServer>()
  const add = (name: string): void => {
    const wanted = desired.servers.get(name)
    if (wanted === undefined || ordered.has(name)) return
    wanted.server.dependsOn.forEach(add)
    ordered.set(name, wanted)
  }
  for (const name of desired.servers.keys()) add(name)
  return [...ordered.values()]
}

/** Returns the reason for each server that has to be started. A server that is kept has none. */
function findReasons(wanted: readonly DesiredServer[], observed: Observed): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>()
  for (const one of wanted) {
    const reason = reasonOf(one, observed.servers.get(one.server.name), reasons)
    if (reason !== undefined) reasons.set(one.server.name, reason)
  }
  return reasons
}

function reasonOf(
  { server, image, digest, spec }: DesiredServer,
  now: ObservedServer | undefined,
  reasons: ReadonlyMap<string, string>,
): string | undefined {
  if (now === undefined) return 'not running'
  if (isRenewed(now.spec.authority, spec.authority)) return wordRenewal(now.spec.authority)
  if (now.digest !== digest) return describeDifference(now, { server, image })
  const [secret] = now.changedSecrets
  if (secret !== undefined) return `secret ${secret} changed`
  const mounted = findChangedMount(now.spec, spec)
  if (mounted !== undefined) {
    const isOfTls = Object.values(server.tls?.own ?? {}).some(({ folder, path }) => relative(folder, path) === mounted)
    return `${isOfTls ? 'certificate file' : 'mounted'} ${mounted} changed`
  }
  if (now.state === 'exited' && !now.isStopped) return 'exited'
  if (now.spec.isUnfinished === true) return 'postStart did not complete'
  if (now.hasOldVariables === true) return 'what it depends on has another address or other exports'
  const restarted = server.dependsOn.find((name) => reasons.has(name))
  return restarted === undefined ? undefined : `depends on ${restarted}, which is started again`
}

/**
 * A changed mount restarts the server: it may have read the file only at its start, and it still sees a replaced file's
 * old content.
 */
function findChangedMount(old: ServerSpec, { mountDigests = {} }: ServerSpec): string | undefined {
  const known = old.mountDigests ?? {}
  return Object.keys(mountDigests).find((path) => (known[path] ?? mountDigests[path]) !== mountDigests[path])
}

/** Whether the fleet's certificate authority was replaced by another one. */
function isRenewed(old: AuthorityRecord | undefined, authority: AuthorityRecord | undefined): old is AuthorityRecord {
  return old !== undefined && authority !== undefined && old.fingerprint !== authority.fingerprint
}

function wordRenewal({ endsAtMs }: AuthorityRecord): string {
  const [end] = new Date(endsAtMs).toISOString().split('T')
  return `new certificate authority; the old one ends on ${end}`
}

function resourceOperations(wanted: readonly DesiredServer[], observed: Observed): Operation[] {
  const volumes = new Set(wanted.flatMap(({ server }) => volumesOf(server)))
  return [
    ...(observed.hasNetwork ? [] : [{ id: 'network', needs: [], kind: 'createNetwork' } as const]),
    ...[...volumes]
      .filter((volume) => !observed.volumes.includes(volume))
      .map((volume) => ({ id: volumeId(volume), needs: [], kind: 'createVolume', volume }) as const),
  ]
}

function volumesOf(server: DesiredServer['server']): string[] {
  return server.mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
}

function volumeId(volume: string): string {
  return `volume ${volume}`
}

function serverOperations(
  { server, image, needsFiles }: DesiredServer,
  desired: Desired,
  observed: Observed,
  { reasons, stops }: { readonly reasons: ReadonlyMap<string, string>; readonly stops: readonly string[] },
): Operation[] {
  const { name } = server
  const now = observed.servers.get(name)
  const reason = reasons.get(name)
  const dependencies = server.dependsOn.filter((other) => desired.servers.has(other)).map(readyId)
  if (now !== undefined && reason === undefined) {
    const { container, state } = now
    if (state === 'paused' || state === 'exited') return resumeOperations(now, dependencies)
    const isCompleted = state === 'completed'
    return [{ id: readyId(name), needs: dependencies, kind: 'keepServer', server: name, container, isCompleted }]
  }
  const resources = volumesOf(server).filter((volume) => !observed.volumes.includes(volume))
  // Created after every stop, because a stopped server may have had the port or name that this one takes.
  const toCreate = [...dependencies, ...stops, ...resources.map(volumeId)]
  const network = observed.hasNetwork ? [] : ['network']
  if (!observed.createsBeforeNetwork) toCreate.push(...network)
  const missing = missingId(image)
  if (missing !== undefined) toCreate.push(missing)
  const created = `create ${name}`
  const delivered = needsFiles ? `deliver ${name}` : created
  const prepared = server.preStart.length > 0 ? `preStart ${name}` : delivered
  const settled = server.postStart.length > 0 ? `checks ${name}` : readyId(name)
  return [
    { id: created, needs: toCreate, kind: 'createServer', server: name },
    ...(needsFiles ? [{ id: delivered, needs: [created], kind: 'deliverFiles', server: name } as const] : []),
    ...planHooks('preStart', server, prepared, [delivered, ...network]),
    {
      ...{
        id: `start ${name}`,
        needs: [prepared, ...network],
        kind: 'startServer',
        server: name,
        reason: reason ?? '',
      },
      ...(server.runs.kind === 'external' && { external: server.runs.url }),
    },
    { id: settled, needs: [`start ${name}`], kind: 'awaitReady', server: name },
    ...planHooks('postStart', server, readyId(name), [settled]),
  ]
}

function planHooks(hook: 'preStart' | 'postStart', server: Server, id: string, needs: readonly string[]): Operation[] {
  const commands = server[hook].map(formatHook)
  return commands.length === 0 ? [] : [{ id, needs, kind: 'runHooks', server: server.name, hook, commands }]
}

function resumeOperations({ name: server, container, state }: ObservedServer, needs: readonly string[]): Operation[] {
  const wasPaused = state === 'paused'
  const reason = wasPaused ? 'paused' : 'stopped'
  const id = `start ${server}`
  return [
    { id, needs, kind: 'resumeServer', server, container, wasPaused, reason },
    { id: readyId(server), needs: [id], kind: 'awaitReady', server },
  ]
}

function readyId(server: string): string {
  return `ready ${server}`
}

/** Fields that can change without replacing the container, as messages name them. */
const updatable: Partial<Record<keyof ServerSpec, string>> = {
  export: 'exports',
  execEnvironment: 'execEnvironment',
  ready: 'ready checks',
  readyTimeoutMs: 'readyTimeout',
  dependsOn: 'dependencies',
}

function updateOf(
  { server: { name }, spec }: DesiredServer,
  observed: Observed,
  reasons: ReadonlyMap<string, string>,
): ServerUpdate[] {
  const now = observed.servers.get(name)
  if (now === undefined || reasons.has(name)) return []
  const keys = Object.keys(spec) as (keyof ServerSpec)[]
  const changed = keys.filter((key) => JSON.stringify(now.spec[key]) !== JSON.stringify(spec[key]))
  if (changed.length === 0) return []
  const words = [...new Set(changed.map((key) => updatable[key] ?? 'record'))]
  return [{ server: name, reason: `${words.join(' and ')} changed` }]
}

/**
 * Returns the named servers with everything they depend on, in the order of the file; all servers when no name is
 * given. Fails with UNKNOWN_SERVER.
 */
export function selectServers(fleet: Fleet, names: readonly string[]): Server[] {
  if (names.length === 0) return [...fleet.servers.values()]
  const selected = new Set<string>()
  const add = (name: string): void => {
    const server = fleet.servers.get(name)
    if (server === undefined) throw unknownServer(name, fleet.servers.keys())
    if (selected.has(name)) return
    selected.add(name)
    server.dependsOn.forEach(add)
  }
  names.forEach(add)
  return [...fleet.servers.values()].filter((server) => selected.has(server.name))
}
