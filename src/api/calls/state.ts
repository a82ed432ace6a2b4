import type { ServerReport, SessionReport } from '../../model/running.ts'
import { openVariables } from '../../report/environment.ts'
import type { SessionName } from '../../state/exchange.ts'
import { resetServer } from '../../state/reset.ts'
import { listSnapshots, removeSnapshot, restoreSnapshot, takeSnapshot } from '../../state/snapshots.ts'
import type { Tools } from '../../tools.ts'
import { type CallSettings, withSession } from '../call.ts'
import type { Refreshed } from '../server-parts.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { CallOptions, SessionOptions } from '../types/options.ts'
import type { ForceOptions } from '../types/servers.ts'
import type { Snapshot, StateChange, StateOptions } from '../types/state.ts'
import { findRecord, type Handle } from './servers.ts'

export function changeState(
  client: CallSettings,
  server: string,
  change: StateChange,
  options: StateOptions,
): Promise<SessionReport> {
  return withSession(client, options, (session, tools) => perform(session, server, change, options, tools))
}

/** For a handle, which then knows the server as it is now. */
export async function changeStateOf(handle: Handle, change: StateChange, options: ForceOptions): Promise<Refreshed> {
  const { name, record, tools } = handle
  const report = await perform(record, name, change, options, withSignal(tools, options))
  const now = await findRecord(handle)
  return {
    report: report.servers[name] as ServerReport,
    exports: (await openVariables(now, report, tools)).exports()[name] ?? {},
  }
}

function perform(
  session: SessionName,
  server: string,
  change: StateChange,
  options: ForceOptions,
  tools: Tools,
): Promise<SessionReport> {
  const request = { server, isForced: options.force === true }
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  return withTimeout(timeoutMs, tools, (limited) => {
    switch (change.verb) {
      case 'reset':
        return resetServer(session, request, limited)
      case 'snapshot':
        return takeSnapshot(session, { ...request, name: change.name }, limited)
      case 'restore':
        return restoreSnapshot(session, { ...request, name: change.name }, limited)
    }
  })
}

export function snapshots(client: CallSettings, server: string, options: SessionOptions): Promise<readonly Snapshot[]> {
  return withSession(client, options, (session, tools) => list(session, server, tools))
}

export function snapshotsOf({ name, record, tools }: Handle, options: CallOptions): Promise<readonly Snapshot[]> {
  return list(record, name, withSignal(tools, options))
}

async function list(session: SessionName, server: string, tools: Tools): Promise<readonly Snapshot[]> {
  const found = await listSnapshots(session, server, tools)
  return found.map(({ createdAtMs, ...snapshot }) => ({ ...snapshot, createdAt: new Date(createdAtMs) }))
}

export function dropSnapshot(
  client: CallSettings,
  server: string,
  name: string,
  options: SessionOptions,
): Promise<void> {
  return withSession(client, options, (session, tools) => removeSnapshot(session, { server, name }, tools))
}

export function dropSnapshotOf(
  { name: server, record, tools }: Handle,
  name: string,
  options: CallOptions,
): Promise<void> {
  return removeSnapshot(record, { server, name }, withSignal(tools, options))
}

function withSignal(tools: Tools, { signal }: CallOptions): Tools {
  return signal === undefined ? tools : { ...tools, signal: AbortSignal.any([tools.signal, signal]) }
}
