import { controlServers } from '../../control/control.ts'
import type { Control } from '../../control/verbs.ts'
import { copyFiles, explain, findPlace, readCopyEnds } from '../../copy/copy.ts'
import { copyFromServer } from '../../copy/copy-from.ts'
import { copyIntoServer } from '../../copy/copy-to.ts'
import { readSignal } from '../../formats/signal.ts'
import { stopGrace } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { ServerReport } from '../../model/running.ts'
import { openVariables } from '../../report/environment.ts'
import { gone, notRunning } from '../../report/refusals.ts'
import { awaitReady, type ObservedServer, observeServers, reportSession } from '../../report/report.ts'
import { readLife } from '../../report/server-state.ts'
import { wasTakenDown } from '../../sessions/hold.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { type CallSettings, withSession } from '../call.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { SessionOptions } from '../types/options.ts'
import type { CopyOptions, CopyResult, ForceOptions, WaitOptions } from '../types/servers.ts'

/** What a handle knows about its server. */
export interface Handle {
  readonly name: string
  readonly record: StoredRecord
  readonly tools: Tools
}

export interface Refreshed {
  readonly report: ServerReport
  /** Undefined when the server does not run: it then has no ports. */
  readonly exports: Readonly<Record<string, string>> | undefined
}

export async function inspectServer(handle: Handle): Promise<ServerReport> {
  const { name, tools } = handle
  const { record, server } = await find(handle)
  const { servers } = await reportSession(record, new Map([[name, server]]), new Set(), tools)
  return servers[name] as ServerReport
}

/** The session as it is now: another program may have replaced the container. */
async function find({ name, record, tools }: Handle): Promise<{ record: StoredRecord; server: ObservedServer }> {
  const now = await tools.sessions.find(record.id, { signal: tools.signal })
  if (now === undefined) throw wasTakenDown(record.name, undefined)
  const server = (await observeServers(now, tools.runtime, tools)).get(name)
  if (server === undefined) throw gone(name)
  return { record: now, server }
}

export async function controlServer(handle: Handle, control: Control, options: ForceOptions): Promise<Refreshed> {
  const { name, record, tools } = handle
  const request = { control, servers: [name], isForced: options.force === true }
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const report = await withTimeout(timeoutMs, withSignal(tools, options.signal), (limited) =>
    controlServers(record, request, limited),
  )
  const server = report.servers[name]
  if (server === undefined) throw gone(name)
  if (server.state === 'exited' || server.state === 'completed') return { report: server, exports: undefined }
  return { report: server, exports: (await openVariables(record, report, tools)).exports()[name] ?? {} }
}

/** Fails with USAGE. */
export function readGrace(graceMs: number | undefined): number | undefined {
  if (graceMs === undefined || (graceMs >= 0 && graceMs <= stopGrace.longestMs)) return graceMs
  throw new TestfleetError('USAGE', `graceMs takes 0 to ${stopGrace.longestMs}, not ${graceMs}`)
}

/** Fails with USAGE. */
export function readSignalName(signal: string): string {
  const name = readSignal(signal)
  if (name !== undefined) return name
  throw new TestfleetError('USAGE', `${JSON.stringify(signal)} is not a signal such as SIGHUP`)
}

export async function copyToServer(handle: Handle, from: string, to: string, options: CopyOptions) {
  return copyWith(copyIntoServer, handle, from, to, options)
}

export async function copyOutOfServer(handle: Handle, from: string, to: string, options: CopyOptions) {
  return copyWith(copyFromServer, handle, from, to, options)
}

async function copyWith(
  copy: typeof copyIntoServer,
  { name, record, tools: own }: Handle,
  from: string,
  to: string,
  options: CopyOptions,
): Promise<CopyResult> {
  const tools = withSignal(own, options.signal)
  const place = await findPlace(record, name, tools)
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
  const ends = readCopyEnds(from, to)
  return withSession(client, options, (session, tools) => copyFiles(session, ends, toCopyOptions(options), tools))
}

function toCopyOptions({ followLink, keepOwners }: CopyOptions) {
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
  await awaitReady(toAwait, container, tools, tools.signal, {
    onAnswer: (check, answer) => tools.onEvent({ kind: 'waiting', server: name, check, answer }),
    onHold: (check) => tools.onEvent({ kind: 'holds', server: name, check }),
  })
}

function withSignal(tools: Tools, signal: AbortSignal | undefined): Tools {
  return signal === undefined ? tools : { ...tools, signal: AbortSignal.any([tools.signal, signal]) }
}
