import type { AuthorityRecord } from '../model/certificate.ts'
import type { Server } from '../model/fleet.ts'
import { type Labels, label } from '../model/labels.ts'
import type { RunningSpec } from '../model/running.ts'

/** What of a server rides on its container. */
export function toRunningSpec(server: Server, authority: AuthorityRecord | undefined): RunningSpec {
  return {
    hostname: server.hostname,
    dependsOn: server.dependsOn,
    ports: server.ports,
    ready: server.ready,
    readyTimeoutMs: server.readyTimeoutMs,
    export: Object.fromEntries(server.export),
    secrets: [...server.secrets.keys()],
    stopSignal: server.stopSignal,
    authority,
  }
}

const empty: RunningSpec = {
  hostname: '',
  dependsOn: [],
  ports: [],
  ready: [],
  readyTimeoutMs: 60_000,
  export: {},
  secrets: [],
  stopSignal: undefined,
  authority: undefined,
}

/** Reads it back. A container whose label another version wrote, or nobody, is shown with what is known of it. */
export function readRunningSpec(labels: Labels): RunningSpec {
  try {
    const spec: unknown = JSON.parse(labels[label.spec] ?? '')
    if (typeof spec !== 'object' || spec === null) return empty
    const known: RunningSpec = { ...empty, ...spec }
    return { ...known, authority: readAuthority(known.authority) }
  } catch {
    return empty
  }
}

/** Paths are made of the fingerprint: it is one, or there is none. */
function readAuthority(record: Partial<AuthorityRecord> | null | undefined): AuthorityRecord | undefined {
  if (typeof record?.fingerprint !== 'string' || typeof record.endsAtMs !== 'number') return undefined
  const { fingerprint, endsAtMs } = record
  const isKnown = /^[0-9a-f]{64}$/.test(fingerprint) && !Number.isNaN(new Date(endsAtMs).getTime())
  return isKnown ? { fingerprint, endsAtMs } : undefined
}
