import { readFile } from 'node:fs/promises'
import type { FleetFile } from '../model/fleet-file.ts'
import { openVariables } from '../report/environment.ts'
import type { Tools } from '../tools.ts'
import type { Membership } from '../up/membership.ts'
import { FleetNames } from './fleet-names.ts'
import { leaveAndTell } from './leave.ts'
import { RunningFleet } from './running-fleet.ts'

export interface HandOverOptions {
  /** Whether the session stays when this process has left it. */
  readonly isLasting?: boolean
}

/** Hands a fleet that is up to its caller; until then it is ours to take down. */
export async function handOver<F extends FleetFile>(
  member: Membership,
  tools: Tools,
  { isLasting = false }: HandOverOptions = {},
): Promise<RunningFleet<F>> {
  // The start's own signal has done its work: a fleet is taken down even when that signal has fired since.
  const never = new AbortController().signal
  const later = { ...tools, signal: never, cancelSignal: never }
  try {
    tools.recorder.thrown.throwIfAborted()
    const { record, report, socket } = member
    const variables = await openVariables(record, report, tools)
    const environment = { ...variables.environmentFor(new Set()), TESTFLEET_KEEPER: socket }
    const certificateAuthority = await readAuthority(environment)
    const exports = variables.exports()
    const names = new FleetNames(record, certificateAuthority, later)
    return new RunningFleet({ member, environment, exports, certificateAuthority, names, tools: later, isLasting })
  } catch (error) {
    if (!isLasting) await leaveAndTell(member, later)
    throw error
  }
}

async function readAuthority({
  TESTFLEET_CA_FILE: path,
}: Readonly<Record<string, string>>): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, 'utf8')
}
