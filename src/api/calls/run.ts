import { sweepSessions } from '../../open-tools.ts'
import { type CommandRequest, findCommand, runInSession } from '../../run-in-session.ts'
import { cleanupSignal } from '../../sessions/end.ts'
import { checkSessionName } from '../../sessions/resolve.ts'
import type { Tools } from '../../tools.ts'
import { type Membership, startSession } from '../../up/up.ts'
import { hostOf, loadSource, openCallTools } from '../call.ts'
import { leaveAndTell } from '../leave.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withinTime } from '../timeout.ts'
import type { Source, TestfleetOptions } from '../types/options.ts'
import type { CommandOptions, RunOptions, RunResult } from '../types/run.ts'

/** Starts a session of its own, runs the command, and leaves the session. */
export async function run(
  client: TestfleetOptions,
  source: Source,
  command: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const host = hostOf(client)
  // A call that is wrong touches nothing.
  const request = await describeCommand(command, options, host)
  const { servers = [], bind = 'free', session: name, keep = false } = options
  const fleet = await loadSource(source, servers, host)
  if (name !== undefined) checkSessionName(name)
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const tools = await openCallTools(client, options, host)
  try {
    const { sessions } = await sweepSessions(tools)
    const up = { fleet, servers, session: { kind: 'new', name } as const, bind, keepOnFailure: keep }
    const member = await withinTime(timeoutMs, tools, (limited) => startSession(up, sessions, limited))
    return await runAndLeave(member, request, tools)
  } catch (error) {
    throw tools.recorder.addThrown(error)
  } finally {
    tools.engine.close()
  }
}

async function runAndLeave(member: Membership, request: CommandRequest, tools: Tools): Promise<RunResult> {
  try {
    return await runOne(member, request, tools)
  } finally {
    // With a deadline of its own: the call's signal may be what ended the command.
    await leaveAndTell(member, { ...tools, signal: await cleanupSignal(member.record.id, tools) })
  }
}

/** Runs a command with what a session gives it, and stays in the session. */
export async function runInFleet(
  member: Membership,
  command: readonly string[],
  options: CommandOptions,
  tools: Tools,
): Promise<RunResult> {
  const request = await describeCommand(command, options, tools.host)
  return runOne(member, request, tools)
}

/** For a caller that ended the command itself, the command's result is none. */
async function runOne(member: Membership, request: CommandRequest, tools: Tools): Promise<RunResult> {
  const result = await runInSession(member, request, tools)
  if (request.forwarded.length === 0) tools.signal.throwIfAborted()
  return result
}

async function describeCommand(
  command: readonly string[],
  { names = 'auto', trust = true, caller }: CommandOptions,
  host: Tools['host'],
): Promise<CommandRequest> {
  return {
    ...(await findCommand(command, host)),
    ...{ names, trust },
    descriptors: caller?.descriptors ?? [],
    ignored: caller?.ignored ?? [],
    forwarded: caller?.forwarded ?? [],
    onStart: caller?.onStart ?? (() => {}),
    isBundleWanted: caller?.isBundleWanted ?? (() => true),
  }
}
