import { controlServers } from '../../control/control.ts'
import type { Control } from '../../control/verbs.ts'
import { copyFiles, explain, findPlace, readCopyEnds } from '../../copy/copy.ts'
import { copyFromServer } from '../../copy/copy-from.ts'
import { copyIntoServer } from '../../copy/copy-to.ts'
import type { ServerReport } from '../../model/running.ts'
import { openVariables } from '../../report/environment.ts'
import { gone, notRunning } from '../../report/refusals.ts'
import { awaitReady, type ObservedServer, observeServers, reportSession } from '../../report/report.ts'
import { readLife } from '../../report/server-state.ts'
import { tellChecks } from '../../report/tell-checks.ts'
import { wasTakenDown } from '../../sessions/hold.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { type CallSettings, withSession } from '../call.ts'
import { checkPath } from '../check-options.ts'
import type { Refreshed } from '../server-parts.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { SessionOptions } from '../types/options.ts'
import type { CopyOptions, CopyResult, ForceOptions, WaitOptions } from '../types/servers.ts'
import { readControl } from './read-control.ts'

/** The facts that a handle has about its server. */
export interface Handle {
  readonly name: string
  readonly record: StoredRecord
  readonly tools: Tools
}

/** Reads the session again: another program may have replaced the container. Fails with NO_SESSION or NOT_FOUND. */
export async function findRecord({ name, record, tools }: Handle): Promise<StoredRecord> {
  const now = await tools.sessions.find(record.id, { signal: tools.signal })
  if (now === undefined) throw wasTakenDown(record.name, undefined)
  if (!Object.hasOwn(now.servers, name)) throw gone(name)
  return now
}

export async function inspectServer(handle: Handle): Promise<ServerReport> {
  const { name, tools } = handle
  const { record, server } = await find(handle)
  const { servers } = await reportSession(record, new Map([[name, server]]), new Set(), tools)
  return servers[name] as ServerReport
}

async function find(handle: Handle): Promise<{ record: StoredRecord; server: ObservedServer }> {
  const { name, tools } = handle
  const record = await findRecord(handle)
  const server = (await observeServers(record, tools.runtime, tools)).get(name)
  if (server === undefined) throw gone(name)
  return { record, server }
}

export async function controlServer(handle: Handle, control: Control, options: ForceOptions): Promise<Refreshed> {
  const { name, record, tools } = handle
  const request = { control: readControl(control), servers: [name], isForced: options.force === true }
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const report = await withTimeout(timeoutMs, withSignal(tools, options.signal), (limited) =>
    controlServers(record, request, limited),
  )
  const server = report.servers[name]
  if (server === undefined) throw gone(name)
  if (server.state === 'exited' || server.state === 'completed') return { report: server, exports: undefined }
  return { report: server, exports: (await openVariables(record, report, tools)).exports()[name] ?? {} }
}

export async function copyToServer(handle: Handle, from: string, to: string, options: CopyOptions) {
  return copyWith(copyIntoServer, handle, from, to, options)
}

export async function copyOutOfServer(handle: Handle, from: string, to: string, options: CopyOptions) {
  return copyWith(copyFromServer, handle, from, to, options)
}

async function copyWith(
  copy: typeof copyIntoServer,
  handle: Handle,
  from: string,
  to: string,
  options: CopyOptions,
): Promise<CopyResult> {
  checkPath(from)
  checkPath(to)
  const tools = withSignal(handle.tools, options.signal)
  const place = await findPlace(await findRecord({ ...handle, tools }), handle.name, tools)
  return copy(from, to, place, toCopyOptions(options), tools).catch((error: unknown) => {
    throw explain(place, error)
  })
}

export async function copy(
  client: CallSettings,
  from: string,
  to: string,
  options: CopyOptions & SessionOptions,
): Promise<CopyResult> {
  checkPath(from)
  checkPath(to)
  const ends = readCopyEnds(from, to)
  return withSession(client, options, (session, tools) => copyFiles(session, ends, toCopyOptions(options), tools))
}

export function toCopyOptions({ followLink, keepOwners }: CopyOptions) {
  return { followsLink: followLink === true, keepsOwners: keepOwners === true }
}

/** The longest time that a timer can count. */
const LONGEST_WAIT_MS = 2 ** 31 - 1

export async function awaitServer(handle: Handle, { timeoutMs, signal }: WaitOptions): Promise<void> {
  const tools = withSignal(handle.tools, signal)
  const { server } = await find({ ...handle, tools })
  const { name, container, spec } = server
  const life = await readLife(container, spec, tools.runtime, tools)
  if (life.state === 'completed') return
  if (life.state !== 'running') throw notRunning(name, life)
  const readyTimeoutMs = Math.min(readTimeout(timeoutMs, spec.readyTimeoutMs), LONGEST_WAIT_MS)
  const toAwait = { server: name, container: container.id, spec: { ...spec, readyTimeoutMs } }
  await awaitReady(toAwait, container, tools, tools.signal, tellChecks(name, tools.onEvent))
}

function withSignal(tools: Tools, signal: AbortSignal | undefined): Tools {
  return signal === undefined ? tools : { ...tools, signal: AbortSignal.any([tools.signal, signal]) }
}
