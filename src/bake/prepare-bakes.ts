import { hash } from 'node:crypto'
import type { CallOptions, Engine } from '../engine/engine.ts'
import type { BakeParts } from '../model/bake.ts'
import { bakedRepository } from '../model/desired-image.ts'
import { type Fleet, type Server, usesCertificates } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import type { PreparedBake, PreparedImage } from '../model/plan.ts'
import { selectServers } from '../plan/reconcile.ts'
import { describeContainer, type SessionSettings } from '../servers/describe-server.ts'
import { bakeFleet, throwAway } from './throw-away.ts'

/** Part of every digest: a change of how images are baked requires new ones. */
const FORMAT = 1
const DIGEST_LENGTH = 16

/** What is known about the servers of a fleet: those to bake, and all that they depend on. */
export interface BakeSources {
  readonly fleet: Fleet
  /** The image of each server before it is baked. */
  readonly images: ReadonlyMap<string, PreparedImage>
  /** The digests of each server's read-only mounts. */
  readonly mounts: ReadonlyMap<string, Readonly<Record<string, string>>>
}

export interface PrepareOptions extends CallOptions {
  /** Images that the engine is known to have. */
  readonly inUse: ReadonlySet<string>
}

type ImageLister = Pick<Engine, 'inspectImage' | 'listImages'>

/** Adds everything that baked servers depend on, because a baked image depends on it, too. */
export function withBakeSources(servers: readonly Server[], fleet: Fleet): readonly Server[] {
  const baked = servers.filter(({ bake }) => bake !== undefined)
  if (baked.length === 0) return servers
  const names = new Set(servers.map(({ name }) => name))
  for (const { name } of baked) for (const one of selectServers(fleet, [name])) names.add(one.name)
  return [...fleet.servers.values()].filter(({ name }) => names.has(name))
}

/** Whether the server is baked, or one that is baked depends on it. */
export function leadsToBake(name: string, servers: readonly Server[], fleet: Fleet): boolean {
  const baked = servers.filter(({ bake }) => bake !== undefined)
  return baked.some((one) => selectServers(fleet, [one.name]).some((server) => server.name === name))
}

/** Names the baked image of each of these servers that has `bake`, and asks the engine which of them it has. */
export async function prepareBakes(
  servers: readonly Server[],
  sources: BakeSources,
  engine: ImageLister,
  options: PrepareOptions,
): Promise<ReadonlyMap<string, PreparedImage>> {
  const baked = servers.filter(({ bake }) => bake !== undefined)
  const prepared = await Promise.all(
    baked.map(async (server): Promise<readonly [string, PreparedImage]> => {
      const bake = await prepareBake(server, sources, engine, options)
      return [server.name, { desired: { kind: 'baked', bake }, identity: bake.reference }]
    }),
  )
  return new Map(prepared)
}

async function prepareBake(
  { name }: Server,
  sources: BakeSources,
  engine: ImageLister,
  options: PrepareOptions,
): Promise<PreparedBake> {
  const { fleet, images } = sources
  const repository = bakedRepository(fleet.name, name)
  const own = bakeFleet(fleet, name)
  const from = [...own.servers.keys()].map((server) => ({ server, image: imageOf(images, server).desired }))
  const parts = describeParts(name, sources)
  const digest = digestOf([FORMAT, parts])
  const isNamed = from.every(({ image }) =>
    image.kind === 'named' ? image.isPresent : image.kind === 'built' && image.build.isNamed,
  )
  const reference = isNamed ? `${repository}:${digest}` : repository
  const isPresent =
    isNamed && (options.inUse.has(reference) || (await engine.inspectImage(reference, options)) !== undefined)
  const reason = isPresent ? '' : await findReason(repository, parts, fleet, engine, options)
  return { server: name, digest, reference, isNamed, isPresent, parts, reason, from }
}

/** Returns what the image of a server is made from: the server itself, and everything that it depends on. */
function describeParts(name: string, { fleet, images, mounts }: BakeSources): BakeParts {
  const own = bakeFleet(fleet, name)
  const digestServer = (server: Server): Record<string, string> => ({
    image: digestOf(imageOf(images, server.name).identity),
    configuration: digestOf(describe(server, own)),
    commands: digestOf(server.postStart),
    'mounted files': digestOf(mounts.get(server.name) ?? {}),
  })
  const entries = [...own.servers.values()].flatMap((server): [string, string][] => {
    const parts = digestServer(server)
    if (server.name === name) return Object.entries(parts)
    return [[`server ${server.name}`, digestOf([parts, fleet.servers.get(server.name)?.bake])]]
  })
  return Object.fromEntries(entries)
}

/** Everything in the fleet file that has an effect before the commands run, without the names of a session. */
function describe(server: Server, fleet: Fleet): readonly unknown[] {
  const authority = usesCertificates(fleet) ? { fingerprint: '', endsAtMs: 0 } : undefined
  const settings = { ...noSession, authority }
  const { secrets, tls, preStart, ready, dependsOn } = throwAway(server)
  return [describeContainer(throwAway(server), fleet, '', settings, ''), [...secrets], tls, preStart, ready, dependsOn]
}

const noSession: Omit<SessionSettings, 'authority'> = {
  session: '',
  sessionId: '',
  change: '',
  owner: '',
  network: '',
  volumes: new Map(),
  bind: 'free',
  defaultAddress: '',
  engineHost: undefined,
  engineSocket: undefined,
}

function imageOf(images: ReadonlyMap<string, PreparedImage>, server: string): PreparedImage {
  const image = images.get(server)
  if (image === undefined) throw new Error(`no image was prepared for ${server}`)
  return image
}

/** Compares with the newest baked image of the server, and names the parts that differ. */
async function findReason(
  repository: string,
  parts: BakeParts,
  fleet: Fleet,
  engine: ImageLister,
  options: CallOptions,
): Promise<string> {
  const images = await engine.listImages({ [label.fleet]: fleet.name }, options)
  const own = images.flatMap(({ references, labels }) => {
    const reference = references.find((one) => one.startsWith(`${repository}:`))
    return reference === undefined ? [] : [{ reference, known: readParts(labels[label.bake]) }]
  })
  const dated = await Promise.all(
    own.map(async (one) => ({ ...one, ms: (await engine.inspectImage(one.reference, options))?.namedAtMs ?? 0 })),
  )
  const [newest] = dated.sort((one, other) => other.ms - one.ms)
  if (newest === undefined) return 'not baked yet'
  return describeDifference(newest.known, parts)
}

/** Names the parts that differ, such as `image and commands changed`. */
export function describeDifference(known: BakeParts, parts: BakeParts): string {
  const names = [...new Set([...Object.keys(parts), ...Object.keys(known)])]
  const changed = names.filter((name) => known[name] !== parts[name])
  if (changed.length === 0) return 'testfleet bakes in another way'
  const last = changed.at(-1)
  return `${changed.length === 1 ? last : `${changed.slice(0, -1).join(', ')} and ${last}`} changed`
}

function readParts(text: string | undefined): BakeParts {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? (value as BakeParts) : {}
  } catch {
    return {}
  }
}

function digestOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value) ?? '').slice(0, DIGEST_LENGTH)
}
