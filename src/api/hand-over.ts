import { readFile } from 'node:fs/promises'
import type { FleetFile } from '../model/fleet-file.ts'
import { openVariables } from '../report/environment.ts'
import type { Tools } from '../tools.ts'
import type { Membership } from '../up/up.ts'
import { RunningFleet } from './running-fleet.ts'

export interface HandOverOptions {
  /** Whether the session stays when this process has left it. */
  readonly isLasting?: boolean
}

/** Hands a fleet that is up to its caller; until then it is ours to take down. */
export async function handOver<F extends FleetFile>(
  held: Membership,
  tools: Tools,
  { isLasting = false }: HandOverOptions = {},
): Promise<RunningFleet<F>> {
  // The start's own signal has done its work: a fleet is taken down even when that signal has fired since.
  const never = new AbortController().signal
  const later = { ...tools, signal: never, cancelSignal: never }
  const end = async (): Promise<void> => void (await held.end(later))
  try {
    tools.recorder.thrown.throwIfAborted()
    const { record, report, socket } = held
    const variables = await openVariables(record, report, tools)
    const environment = { ...variables.environmentFor(new Set()), TESTFLEET_KEEPER: socket }
    const certificateAuthority = await readAuthority(environment)
    const exports = variables.exports()
    return new RunningFleet({
      record,
      report,
      environment,
      exports,
      certificateAuthority,
      tools: later,
      end,
      isLasting,
    })
  } catch (error) {
    if (!isLasting) await end()
    throw error
  }
}

async function readAuthority({
  TESTFLEET_CA_FILE: path,
}: Readonly<Record<string, string>>): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, 'utf8')
}
