import type { Holder, ServerRecord, SessionRecord } from '../model/session.ts'
import type { StoredText } from '../runtime/runtime.ts'

/** A record together with the revision of it that was read: what it is replaced by has to follow that one. */
export interface StoredRecord extends SessionRecord {
  readonly revision: number
  /** The calls that wrote the last revisions, newest first: a writer finds out by it whether its revision counts. */
  readonly writers: readonly string[]
}

/** A record that another version of testfleet may have written: nothing is done to it. */
export interface UnreadableRecord {
  readonly id: string
  readonly createdAtMs: number
}

export interface Records {
  readonly sessions: readonly StoredRecord[]
  readonly unreadable: readonly UnreadableRecord[]
}

/** The newest revision of each session's record, in the order of their names. */
export function readRecords(stored: readonly StoredText[]): Records {
  const newest = new Map<string, StoredText>()
  for (const text of stored) {
    const known = newest.get(text.session)
    if (known === undefined || known.revision < text.revision) newest.set(text.session, text)
  }
  const sessions: StoredRecord[] = []
  const unreadable: UnreadableRecord[] = []
  for (const text of newest.values()) {
    const record = parseRecord(text)
    if (record === undefined) unreadable.push({ id: text.session, createdAtMs: text.createdAtMs })
    else sessions.push(record)
  }
  return { sessions: sessions.sort((one, other) => (one.name < other.name ? -1 : 1)), unreadable }
}

/** Written with a number of its own: a later version can change the shape, and this one then leaves the session alone. */
const FORMAT = 1

export function formatRecord({ revision: _, ...record }: StoredRecord): string {
  return JSON.stringify({ format: FORMAT, ...record })
}

function parseRecord({ session, revision, text }: StoredText): StoredRecord | undefined {
  const value = parseObject(text)
  if (value?.format !== FORMAT || value.id !== session || !isText(value.name) || !isText(value.fleet)) return undefined
  const { format: _, ...record } = value
  const known = record as unknown as SessionRecord
  if (!isObject(known.servers) || !Object.values(known.servers).every(isServer)) return undefined
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
  if (!isObject(server)) return false
  const {
    container,
    hostname,
    aliases,
    dependsOn,
    ports,
    ready,
    export: exports,
    secrets,
    authority,
  } = server as Partial<ServerRecord>
  const lists = [aliases, dependsOn, ports, ready, secrets]
  return (
    isText(container) && isText(hostname) && lists.every(Array.isArray) && isObject(exports) && isAuthority(authority)
  )
}

/** Paths are made of the fingerprint: it is one, or the record is not read. */
function isAuthority(authority: ServerRecord['authority']): boolean {
  return (
    authority === undefined || (/^[0-9a-f]{64}$/.test(authority.fingerprint) && Number.isFinite(authority.endsAtMs))
  )
}

function isLifetime(lifetime: SessionRecord['lifetime'] | undefined): boolean {
  if (!isObject(lifetime)) return false
  if (lifetime.kind === 'held') return Array.isArray(lifetime.holders) && lifetime.holders.every(isHolder)
  return lifetime.kind === 'lasting' || (lifetime.kind === 'until' && Number.isFinite(lifetime.untilMs))
}

function isChange(change: NonNullable<SessionRecord['change']>): boolean {
  return isObject(change) && isText(change.id) && isHolder(change.by) && Array.isArray(change.replaced)
}

function isHolder(holder: Holder | undefined): boolean {
  return (
    isObject(holder) && isObject(holder.machine) && isObject(holder.process) && Number.isInteger(holder.process.pid)
  )
}
