import type { AuthorityRecord } from '../model/certificate.ts'
import type {
  Desired,
  DesiredImage,
  DesiredServer,
  Observed,
  ObservedServer,
  Operation,
  Plan,
  PreparedBuild,
} from '../model/plan.ts'

/** What has to be done so that what is observed becomes what is desired. Pure: the same in gives the same out. */
export function reconcile(desired: Desired, observed: Observed): Plan {
  const replaced = findReasons(desired, observed)
  const images = planImages([...desired.servers.values()].map(({ server, image }) => ({ server: server.name, image })))
  const operations: Operation[] = [...images, ...networkOperations(desired, observed)]
  // What runs is touched only once every image is there: a build that fails leaves the session as it was.
  const needs = images.map(({ id }) => id)
  operations.push(...orphanOperations(desired, observed, needs))
  for (const { server } of inOrder(desired)) {
    const now = observed.servers.get(server.name)
    const reason = replaced.get(server.name)
    if (now !== undefined && reason !== undefined) operations.push(removal(now, reason, needs))
  }
  for (const wanted of inOrder(desired)) operations.push(...serverOperations(wanted, desired, observed, replaced))
  return { session: desired.session, operations }
}

/** Why each server that has to be started anew has to; a server that stays has none. */
function findReasons(desired: Desired, observed: Observed): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>()
  for (const wanted of inOrder(desired)) {
    const reason = reasonOf(wanted, observed.servers.get(wanted.server.name), reasons)
    if (reason !== undefined) reasons.set(wanted.server.name, reason)
  }
  return reasons
}

function reasonOf(
  { server, digest, authority }: DesiredServer,
  now: ObservedServer | undefined,
  reasons: ReadonlyMap<string, string>,
): string | undefined {
  if (now === undefined) return 'it does not run'
  if (isRenewed(now.authority, authority)) return wordRenewal(now.authority)
  if (now.digest !== digest) return 'its declaration or its image has changed'
  const [secret] = now.changedSecrets
  if (secret !== undefined) return `its secret ${secret} has changed`
  if (now.state === 'stopped') return 'it has stopped'
  const restarted = server.dependsOn.find((name) => reasons.has(name))
  return restarted === undefined ? undefined : `${restarted}, which it depends on, is started anew`
}

/** Whether the fleet has had an authority, and has another one now. */
function isRenewed(old: AuthorityRecord | undefined, authority: AuthorityRecord | undefined): old is AuthorityRecord {
  return old !== undefined && authority !== undefined && old.fingerprint !== authority.fingerprint
}

function wordRenewal({ endsAtMs }: AuthorityRecord): string {
  const [end] = new Date(endsAtMs).toISOString().split('T')
  return `the fleet has a new certificate authority in place of the one that ends on ${end}`
}

/** Every server after those that it depends on; the file has no circles, which its checks see to. */
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

/** The images that the engine lacks: each base before what stands on it, equal ones once. */
export function planImages(images: readonly { readonly server: string; readonly image: DesiredImage }[]): Operation[] {
  const pulls = new Map<string, Extract<Operation, { kind: 'pullImage' }>>()
  const builds = new Map<string, Extract<Operation, { kind: 'buildImage' }>>()
  const addBuild = (build: PreparedBuild, server: string): void => {
    if (build.isPresent) return
    if (build.base !== undefined) addBuild(build.base, server)
    const id = buildId(build)
    const known = builds.get(id)
    const needs = build.base !== undefined && !build.base.isPresent ? [buildId(build.base)] : []
    builds.set(id, {
      id,
      needs,
      kind: 'buildImage',
      build: known?.build ?? build,
      references: [...new Set([...(known?.references ?? []), build.reference])],
      servers: [...(known?.servers ?? []), server],
    })
  }
  for (const { server, image } of images) {
    if (image.kind === 'built') addBuild(image.build, server)
    else if (!image.isPresent) {
      const { reference, platform } = image
      const servers = [...(pulls.get(reference)?.servers ?? []), server]
      pulls.set(reference, { id: pullId(reference), needs: [], kind: 'pullImage', reference, platform, servers })
    }
  }
  return [...pulls.values(), ...builds.values()]
}

/** Recipes with equal content have one digest, whatever they are called: they are built once, under all their names. */
function buildId(build: PreparedBuild): string {
  return `build ${build.digest}`
}

function pullId(reference: string): string {
  return `pull ${reference}`
}

function networkOperations(desired: Desired, observed: Observed): Operation[] {
  const operations: Operation[] = []
  if (observed.networkId === undefined) operations.push({ id: 'network', needs: [], kind: 'createNetwork' })
  const volumes = new Set([...desired.servers.values()].flatMap(({ server }) => volumesOf(server)))
  for (const volume of volumes) {
    if (!observed.volumes.includes(volume))
      operations.push({ id: volumeId(volume), needs: [], kind: 'createVolume', volume })
  }
  return operations
}

function volumesOf(server: DesiredServer['server']): string[] {
  return server.mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
}

function volumeId(volume: string): string {
  return `volume ${volume}`
}

/** Servers that the fleet no longer has. */
function orphanOperations(desired: Desired, observed: Observed, needs: readonly string[]): Operation[] {
  if (!desired.isWholeFleet) return []
  return [...observed.servers.values()]
    .filter(({ name }) => !desired.servers.has(name))
    .map((server) => removal(server, 'the fleet no longer has it', needs))
}

function removal(
  { name, containerId, stopSignal }: ObservedServer,
  reason: string,
  needs: readonly string[],
): Operation {
  return { id: `remove ${name}`, needs, kind: 'removeServer', server: name, containerId, stopSignal, reason }
}

function serverOperations(
  wanted: DesiredServer,
  desired: Desired,
  observed: Observed,
  reasons: ReadonlyMap<string, string>,
): Operation[] {
  const { server, image } = wanted
  const now = observed.servers.get(server.name)
  const reason = reasons.get(server.name)
  const dependencies = server.dependsOn.filter((name) => desired.servers.has(name)).map((name) => `server ${name}`)
  const id = `server ${server.name}`
  if (now !== undefined && reason === undefined) {
    const isCompleted = now.state === 'completed'
    return [
      { id, needs: dependencies, kind: 'keepServer', server: server.name, containerId: now.containerId, isCompleted },
    ]
  }
  const needs = [
    ...dependencies,
    ...volumesOf(server)
      .filter((volume) => !observed.volumes.includes(volume))
      .map(volumeId),
  ]
  if (observed.networkId === undefined) needs.push('network')
  if (image.kind === 'built' && !image.build.isPresent) needs.push(buildId(image.build))
  if (image.kind === 'named' && !image.isPresent) needs.push(pullId(image.reference))
  if (now !== undefined) needs.push(`remove ${server.name}`)
  return [{ id, needs, kind: 'startServer', server: server.name, reason: reason ?? '' }]
}
