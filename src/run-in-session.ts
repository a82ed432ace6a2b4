import { type CommandRequest, type CommandView, runCommand } from './command-in-session.ts'
import type { Cause } from './model/cause.ts'
import type { Program } from './names/names.ts'
import { describeEnds } from './report/ended.ts'
import { openVariables } from './report/environment.ts'
import { readNames } from './report/names.ts'
import { lenderSocketOf } from './sessions/lender-socket.ts'
import { describeTakenDown } from './sessions/taken-down.ts'
import type { Tools } from './tools.ts'
import type { Membership } from './up/membership.ts'
import type { AttachedLogs } from './why/attach-logs.ts'

export interface CommandResult {
  readonly exitCode: number
  /** A sentence for each server that ended while the command ran: it may have failed, or passed, because of that. */
  readonly ended: readonly string[]
  readonly bundle: CommandBundle | undefined
  /** What was wrong with the servers after a command that failed, as `why` says it. Left out after one that succeeded. */
  readonly causes?: readonly Cause[]
  readonly attached?: AttachedLogs | undefined
}

/** State of the servers after a command that failed. */
export interface CommandBundle {
  readonly folder: string | undefined
  readonly archive: string | undefined
  readonly problem: string | undefined
  readonly summary: string
}

/** Runs a command with the variables and names of a session. */
export async function runInSession(member: Membership, request: CommandRequest, tools: Tools): Promise<CommandResult> {
  const startedAtMs = Date.now()
  const lender = lenderSocketOf(member.record, tools.host)
  const exitCode = await runCommand({ ...member, lender }, request, readView(member, tools), tools)
  return explainResult({ exitCode, startedAtMs }, member, request, tools)
}

async function readView({ record, report }: Membership, tools: Tools): Promise<CommandView> {
  const [variables, servers] = await Promise.all([openVariables(record, report, tools), readNames(record, tools)])
  return { variables, servers }
}

/** Finds out what happened to the servers while a command ran, and writes a failure bundle if one is wanted. */
export async function explainResult(
  { exitCode, startedAtMs }: { readonly exitCode: number; readonly startedAtMs: number },
  member: Membership,
  request: CommandRequest,
  tools: Tools,
): Promise<CommandResult> {
  const nothing = { exitCode, ended: [], bundle: undefined }
  if (tools.signal.aborted || (await tellTakenDown(exitCode, member, request, tools))) return nothing
  // An engine that does not answer changes nothing about the command's result.
  const ended = await describeEnds(member, startedAtMs, tools).catch(() => [])
  if (exitCode === 0) return { exitCode, ended, bundle: undefined }
  const { noteCommand } = await import('./why/note-command.ts')
  const causes = await noteCommand({ name: request.argv0, exitCode, startedAtMs }, member.record, tools)
  const { attach } = request
  const { record } = member
  const attached =
    attach &&
    (await (await import('./why/attach-logs.ts')).attachLogs(attach, { record, sinceMs: startedAtMs, causes }, tools))
  const failed = { exitCode, ended, causes, ...(attached && { attached }) }
  if (!request.isBundleWanted(ended.length > 0)) return { ...failed, bundle: undefined }
  const { captureState } = await import('./failure/bundle/capture.ts')
  const what = `the command ended with exit code ${exitCode}: ${request.argv0}`
  return { ...failed, bundle: await captureState(what, record, tools) }
}

/**
 * Whether the session is gone, so that nothing is known of its servers. Reports that after a command that failed, and
 * after any command when another process has removed it: `down` can also be what the command itself calls.
 */
async function tellTakenDown(
  exitCode: number,
  member: Membership,
  { argv0 }: Program,
  { sessions, signal, onEvent }: Tools,
): Promise<boolean> {
  const { id, name } = member.record
  const found = await sessions.find(id, { signal }).catch(() => member.record)
  if (found !== undefined) return false
  const news = member.takenDown()
  if (exitCode === 0 && news === undefined) return true
  onEvent({ kind: 'warned', message: `${describeTakenDown(name, news)}, while ${argv0} ran` })
  return true
}
