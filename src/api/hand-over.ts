import { readFile } from 'node:fs/promises'
import { socketVariables } from '../endpoints/environment.ts'
import type { LeaseSource } from '../lease/start-lending.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import { reopenTools } from '../open-tools.ts'
import { openVariables } from '../report/environment.ts'
import { lenderSocketOf } from '../sessions/lender-socket.ts'
import type { Tools } from '../tools.ts'
import type { Membership } from '../up/membership.ts'
import { checkOptions } from './check-options.ts'
import type { EventHub } from './event-hub.ts'
import { FleetNames } from './fleet-names.ts'
import { openLeases } from './leases.ts'
import { leaveAndTell } from './leave.ts'
import { inOperation, type Operate } from './operation.ts'
import { RunningFleet } from './running-fleet.ts'

const never = new AbortController().signal

export interface HandOverOptions {
  /** Whether the session stays after this process has left it. */
  readonly isLasting?: boolean
  /** What the session was started from. */
  readonly source?: LeaseSource
}

/** Hands a running fleet to its caller. If that fails, the fleet is taken down here. */
export async function handOver<F extends FleetFile>(
  member: Membership,
  tools: Tools,
  hub: EventHub,
  { isLasting = false, source }: HandOverOptions = {},
): Promise<RunningFleet<F>> {
  // The signal of the start no longer matters: a fleet is taken down even if that signal has fired since.
  const later = { ...tools, signal: never, cancelSignal: never }
  try {
    tools.recorder.thrown.throwIfAborted()
    const { record, report, socket } = member
    const reports = { ...report.servers }
    const addressed = { ...report.servers }
    const variables = await openVariables(record, { ...report, servers: addressed }, tools)
    const environment = () => {
      // Variables of a stopped server stay, as its exports do.
      for (const [name, now] of Object.entries(reports)) if (now.ip !== '') addressed[name] = now
      return { ...variables.environmentFor(new Set()), ...socketVariables({ socket, lender }) }
    }
    const lender = lenderSocketOf(record, tools.host)
    const certificateAuthority = await readAuthority(environment())
    const exports = variables.exports()
    const names = new FleetNames(record, certificateAuthority, later)
    const operate = operateOn(later, hub, report.session)
    const upToDate = { ...member, report: { ...report, servers: reports } }
    const given = { member: upToDate, reports, environment, exports, certificateAuthority, names }
    return new RunningFleet({
      ...given,
      tools: later,
      hub,
      operate,
      isLasting,
      leases: openLeases(record, source, operate),
    })
  } catch (error) {
    if (!isLasting) await leaveAndTell(member, later)
    throw error
  }
}

/** Makes each call of a handle a separate operation, on the engine that the start of the fleet has opened. */
function operateOn(tools: Tools, hub: EventHub, session: string): Operate {
  return async (name, options, work) => {
    checkOptions(options)
    const { signal } = options
    return inOperation({ name, hub, session, signal }, async (onEvent) => {
      const own = reopenTools(tools, onEvent, signal ?? never)
      try {
        const result = await work(own)
        own.recorder.thrown.throwIfAborted()
        return result
      } catch (error) {
        throw own.recorder.addThrown(error)
      }
    })
  }
}

async function readAuthority({
  TESTFLEET_CA_FILE: path,
}: Readonly<Record<string, string>>): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, 'utf8')
}
