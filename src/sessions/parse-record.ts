import type { Holder, ServerRecord, SessionRecord, Undoing } from '../model/session.ts'
import type { StoredText } from '../runtime/runtime.ts'

/** A record and the revision that was read. Its replacement must follow that revision. */
export interface StoredRecord extends SessionRecord {
  readonly revision: number
  /** Writers of the latest revisions, newest first, by which a writer finds out whether its revision counts. */
  readonly writers: readonly string[]
}

/** Format number of stored records. A later version may change it; this version then leaves the session alone. */
const FORMAT = 1

export function formatRecord({ revision: _, ...record }: StoredRecord): string {
  return JSON.stringify({ format: FORMAT, ...record })
}

/** Returns the record; undefined for one of another format. */
export function parseRecord({ session, revision, text }: StoredText): StoredRecord | undefined {
  const value = parseObject(text)
  if (value?.format !== FORMAT || value.id !== session || !isText(value.name) || !isText(value.fleet)) return undefined
  const { format: _, ...record } = value
  const known = record as unknown as SessionRecord
  if (!isObject(known.servers) || !Object.values(known.servers).every(isServer)) return undefined
  if (!isLender(known.lender)) return undefined
  if (!isLifetime(known.lifetime) || (known.change !== undefined && !isChange(known.change))) return undefined
  const writers = Array.isArray(value.writers) ? value.writers : []
  return { ...known, revision, writers }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isServer(server: unknown): boolean {
  return isSpec(server) && isText((server as Partial<ServerRecord>).container)
}

function isSpec(spec: unknown): boolean {
  if (!isObject(spec)) return false
  const {
    hostname,
    aliases,
    dependsOn,
    ports,
    ready,
    export: exports,
    secrets,
    authority,
    sealed,
    secretDigest,
  } = spec as Partial<ServerRecord>
  const lists = [aliases, dependsOn, ports, ready, secrets]
  const texts = [sealed, secretDigest].filter((text) => text !== undefined)
  const hasTexts = isText(hostname) && isObject(exports) && [...Object.values(exports), ...texts].every(isText)
  return hasTexts && lists.every(Array.isArray) && isAuthority(authority)
}

/** A fingerprint becomes part of paths, so a record with an invalid one is not read. */
function isAuthority(authority: ServerRecord['authority']): boolean {
  return (
    authority === undefined || (/^[0-9a-f]{64}$/.test(authority.fingerprint) && Number.isFinite(authority.endsAtMs))
  )
}

function isLifetime(lifetime: SessionRecord['lifetime'] | undefined): boolean {
  if (!isObject(lifetime)) return false
  if (lifetime.kind === 'held' || lifetime.holders !== undefined) {
    if (!Array.isArray(lifetime.holders) || !lifetime.holders.every(isHolder)) return false
    if (lifetime.kind === 'held') return true
  }
  return lifetime.kind === 'lasting' || (lifetime.kind === 'until' && Number.isFinite(lifetime.untilMs))
}

function isLender(lender: SessionRecord['lender']): boolean {
  return lender === undefined || (isObject(lender) && (lender.by === undefined || isHolder(lender.by)))
}

function isChange(change: NonNullable<SessionRecord['change']>): boolean {
  return (
    isObject(change) &&
    isText(change.id) &&
    isHolder(change.by) &&
    Array.isArray(change.replaced) &&
    (change.resumed === undefined || Array.isArray(change.resumed)) &&
    (change.undoing === undefined || isUndoing(change.undoing)) &&
    isStarting(change.starting)
  )
}

function isUndoing(undoing: Undoing): boolean {
  return isObject(undoing) && isHolder(undoing.by) && Number.isFinite(undoing.untilMs)
}

function isStarting(starting: unknown): boolean {
  return isObject(starting) && Object.values(starting).every(isSpec)
}

function isHolder(holder: Holder | undefined): boolean {
  return (
    isObject(holder) && isObject(holder.machine) && isObject(holder.process) && Number.isInteger(holder.process.pid)
  )
}
