import type { CommandRequest } from '../../command-in-session.ts'
import { observeServers, reportSession } from '../../report/report.ts'
import { explainResult, runInSession } from '../../run-in-session.ts'
import { cleanupSignal } from '../../sessions/cleanup-signal.ts'
import { wasTakenDown } from '../../sessions/hold.ts'
import type { Tools } from '../../tools.ts'
import type { Membership } from '../../up/membership.ts'
import type { OnFailedStart } from '../../up/start-session.ts'
import type { CallSettings } from '../call.ts'
import { describeCommand } from '../describe-command.ts'
import { leaveAndTell } from '../leave.ts'
import type { Source } from '../types/options.ts'
import type { CommandCaller, CommandOptions, RunOptions, RunResult } from '../types/run.ts'
import { prepareStart } from './prepare-start.ts'

/** Starts a new session, runs the command, and leaves the session. */
export async function runStarted(
  client: CallSettings,
  source: Source,
  request: CommandRequest,
  options: RunOptions,
): Promise<RunResult> {
  const { tools, start } = await prepareStart(client, source, options)
  try {
    const lookAround = options.caller?.lookAround
    const member = await start(describeFailedStart(request, options, tools))
    return await runAndLeave(member, request, tools, lookAround)
  } catch (error) {
    throw tools.recorder.addThrown(error)
  } finally {
    tools.engine.close()
  }
}

/**
 * Finds out what happened while a command ran on a standby copy. Resolves with its result, after the caller has looked
 * around if it wants to. Its engine is not open yet: a command does not wait for it.
 */
export async function finishOnStandby(
  ran: { readonly exitCode: number; readonly startedAtMs: number },
  member: Membership,
  request: CommandRequest,
  tools: Tools,
  lookAround: LookAround | undefined,
): Promise<RunResult> {
  try {
    const result = await explainResult(ran, member, request, tools)
    if (request.forwarded.length === 0) tools.signal.throwIfAborted()
    await lookAroundIfWorth(result, member, tools, lookAround)
    return result
  } finally {
    await leaveAndTell(member, { ...tools, signal: await cleanupSignal(member.record.id, tools) })
  }
}

type LookAround = NonNullable<CommandCaller['lookAround']>

async function runAndLeave(
  member: Membership,
  request: CommandRequest,
  tools: Tools,
  lookAround: LookAround | undefined,
): Promise<RunResult> {
  try {
    const result = await runOne(member, request, tools)
    await lookAroundIfWorth(result, member, tools, lookAround)
    return result
  } finally {
    tools.onEvent({ kind: 'phaseBegan', phase: 'leave' })
    // Uses a separate deadline, because the call's signal may have ended the command.
    await leaveAndTell(member, { ...tools, signal: await cleanupSignal(member.record.id, tools) })
  }
}

async function lookAroundIfWorth(
  result: RunResult,
  member: Membership,
  tools: Tools,
  lookAround: LookAround | undefined,
): Promise<void> {
  const isWorthALook = result.exitCode !== 0 || result.ended.length > 0
  if (lookAround !== undefined && isWorthALook && (await isThere(member, tools)))
    await lookAround({ report: member.report, error: undefined, result })
}

/** Someone who has ended the command or the session does not want to look around. */
async function isThere({ record }: Membership, { sessions, signal }: Tools): Promise<boolean> {
  if (signal.aborted) return false
  return (await sessions.find(record.id, { signal }).catch(() => undefined)) !== undefined
}

/** What is done about a failed start while its servers are still there. With `keep`, they stay anyway. */
function describeFailedStart(
  { attach }: CommandRequest,
  { caller, keep }: RunOptions,
  tools: Tools,
): OnFailedStart | undefined {
  const show = caller?.lookAround && showFailedStart(caller.lookAround, tools)
  if (attach === undefined || keep === true) return show
  return async (error, record) => {
    const { attachFailedStart } = await import('../../why/attach-failed-start.ts')
    await attachFailedStart(attach, record, tools)
    await show?.(error, record)
  }
}

/** Shows the servers that were started before a start failed. */
function showFailedStart(lookAround: LookAround, tools: Tools): OnFailedStart {
  return async (error, record) => {
    const observed = await observeServers(record, tools.runtime, tools)
    await lookAround({ report: await reportSession(record, observed, new Set(), tools), error, result: undefined })
  }
}

/** Runs a command with the variables and names of a session, and stays in the session. */
export async function runInFleet(
  member: Membership,
  command: readonly string[],
  options: CommandOptions,
  tools: Tools,
): Promise<RunResult> {
  const request = await describeCommand(command, options, tools.host)
  return runOne(await renew(member, tools), request, tools)
}

/** Reads the session again, because its servers may have been restarted with other ports. Fails with NO_SESSION. */
async function renew(member: Membership, tools: Tools): Promise<Membership> {
  const record = await tools.sessions.find(member.record.id, { signal: tools.signal })
  if (record === undefined) throw wasTakenDown(member.record.name, member.takenDown())
  const observed = await observeServers(record, tools.runtime, tools)
  return { ...member, record, report: await reportSession(record, observed, new Set(observed.keys()), tools) }
}

/** If the caller's signal ended the command, the call rejects instead of returning a result. */
async function runOne(member: Membership, request: CommandRequest, tools: Tools): Promise<RunResult> {
  const result = await runInSession(member, request, tools)
  if (request.forwarded.length === 0) tools.signal.throwIfAborted()
  return result
}
