import { createHash } from 'node:crypto'
import { socketVariables } from '../../endpoints/environment.ts'
import { startLending } from '../../lease/start-lending.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Fleet } from '../../model/fleet.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import type { Host } from '../../model/host.ts'
import type { ServerReport, SessionReport } from '../../model/running.ts'
import type { Holder } from '../../model/session.ts'
import { openVariables } from '../../report/environment.ts'
import type { SessionVariables } from '../../report/variables.ts'
import { cleanupSignal } from '../../sessions/cleanup-signal.ts'
import { collectErrors, withLeftovers } from '../../sessions/end.ts'
import { holdForProcess, releaseProcess } from '../../sessions/hold.ts'
import { lenderSocketOf } from '../../sessions/lender-socket.ts'
import { identifyProcess, readMachine } from '../../sessions/processes.ts'
import { checkSessionName } from '../../sessions/resolve.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import { enterShared, type SharedName } from '../../share.ts'
import type { Tools } from '../../tools.ts'
import type { Membership } from '../../up/membership.ts'
import { type CallSettings, hostOf, loadSource } from '../call.ts'
import { handOver } from '../hand-over.ts'
import type { RunningFleet } from '../running-fleet.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { FleetSource, Source } from '../types/options.ts'
import type { SharedServer, SharedSession, ShareOptions, ShareSessionOptions } from '../types/share.ts'
import { prepareFleetStart } from './prepare-start.ts'

export function share<F extends FleetFile>(
  client: CallSettings,
  source: FleetSource<F> | undefined,
  options: ShareOptions<F>,
): Promise<RunningFleet<F>> {
  return withShared(client, source, options, (member, _, tools) => handOver(member, tools, client.hub, { source }))
}

/** As `share`, for a process that does not stay: only the other process holds the session. */
export function shareSession(
  client: CallSettings,
  source: Source,
  options: ShareSessionOptions,
): Promise<SharedSession> {
  return withShared(client, source, options, async (member, holder, tools) => {
    const { record, report, socket } = member
    let variables: SessionVariables
    try {
      if (options.lender) await startLending(record, source, tools)
      variables = await openVariables(record, report, tools)
    } finally {
      await member.end({ ...tools, signal: await cleanupSignal(record.id, tools) })
    }
    tools.engine.close()
    const servers = describeServers(report, variables)
    const sockets = socketVariables({ socket, lender: lenderSocketOf(record, tools.host) })
    const environment = { ...variables.environmentFor(new Set()), ...sockets }
    return { ...report, servers, environment, process: holder.process.pid }
  })
}

function describeServers({ servers }: SessionReport, variables: SessionVariables): SharedSession['servers'] {
  const exports = variables.exports()
  const describe = ([name, server]: [string, ServerReport]): [string, SharedServer] => {
    return [name, { ...server, exports: exports[name] ?? {}, environment: variables.environmentOf(name) }]
  }
  return Object.fromEntries(Object.entries(servers).map(describe))
}

/** `work` closes the engine, or hands it over. */
async function withShared<Result>(
  client: CallSettings,
  source: Source,
  options: ShareOptions,
  work: (member: Membership, holder: Holder, tools: Tools) => Promise<Result>,
): Promise<Result> {
  const sinceMs = Date.now()
  const host = hostOf(client)
  const holder = findHolder(options.process ?? host.processId)
  const fleet = await loadSource(source, options.servers ?? [], host)
  const wanted = { ...chooseSession(fleet, source, options, holder, host), sinceMs }
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const own = { ...options, session: wanted.name, standby: false } as const
  const prepared = await prepareFleetStart(client, source, fleet, own, { session: { kind: 'named', ...wanted } })
  const { tools } = prepared
  try {
    const member = await withTimeout(timeoutMs, tools, (limited) => enterShared(wanted, fleet, prepared.start, limited))
    // Another call has started an inherited session, which stays without this process.
    const isEnough = holder.process.pid === host.processId && (wanted.isInherited || options.isThread !== true)
    const hold = isEnough ? async () => false : () => holdFor(holder, member.record, tools, options.isThread)
    return await holdWhile(holder, member, tools, { hold, work: () => work(member, holder, tools) })
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}

/** All calls for one holder and one fleet choose the same name. */
function chooseSession(
  fleet: Fleet,
  source: Source,
  { session, servers = [], slot }: ShareOptions,
  { machine, process }: Holder,
  { environment }: Host,
): Omit<SharedName, 'sinceMs'> {
  if (session !== undefined) return { name: checkSessionName(session), by: 'session', isInherited: false }
  const { TESTFLEET_SESSION: inherited } = environment
  if (inherited && slot === undefined)
    return { name: checkSessionName(inherited), by: 'TESTFLEET_SESSION', isInherited: true }
  const about = [fleet.file ?? source, servers.toSorted(), process, machine.id, machine.boot, machine.pidSpace, slot]
  const digest = createHash('sha256').update(JSON.stringify(about)).digest('hex')
  return { name: `${fleet.name}-${digest.slice(0, 7)}`, by: 'the fleet', isInherited: false }
}

/** Makes the holder hold the session, and takes that back if `work` fails, which leaves the session itself. */
async function holdWhile<Result>(
  holder: Holder,
  { record, end }: Membership,
  tools: Tools,
  { hold, work }: { readonly hold: () => Promise<boolean>; readonly work: () => Promise<Result> },
): Promise<Result> {
  const { pid } = holder.process
  const undo = async (what: (later: Tools) => Promise<unknown>, error: unknown): Promise<never> => {
    const later = { ...tools, signal: await cleanupSignal(record.id, tools) }
    const [cleanup] = await collectErrors([what(later)])
    throw cleanup === undefined ? error : withLeftovers(error, cleanup)
  }
  const isAdded = await hold().catch((error: unknown) => undo(end, error))
  return work().catch((error: unknown) => undo(async (later) => isAdded && releaseProcess(record, pid, later), error))
}

/** Returns whether this call has added the holder. */
async function holdFor(
  { machine, process }: Holder,
  record: StoredRecord,
  tools: Tools,
  isThread = false,
): Promise<boolean> {
  const { holders = [] } = record.lifetime
  const same = holders.filter(
    (one) =>
      one.process.pid === process.pid &&
      one.process.startedAt === process.startedAt &&
      one.machine.boot === machine.boot &&
      one.machine.pidSpace === machine.pidSpace,
  )
  // One of them is this thread. The others can be threads as well: only the keeper knows whether the process itself holds it.
  const isInRecord = same.length > (isThread ? 1 : 0)
  if (!isInRecord || isThread) await holdForProcess(record, process.pid, tools, isInRecord)
  return !isInRecord
}

function findHolder(pid: number): Holder {
  const process = Number.isSafeInteger(pid) && pid > 0 ? identifyProcess(pid) : undefined
  if (process === undefined) throw new TestfleetError('USAGE', `there is no process ${pid}`)
  return { machine: readMachine(), process }
}
