import type { Membership } from '../join.ts'
import { readEnvironment } from '../session/read-environment.ts'
import type { Tools } from '../session/tools.ts'
import type { Call } from './call.ts'
import { captureFailedCommand } from './failed-command.ts'
import { runProgram } from './run-program.ts'

/** Runs the call's command with what a session gives it, and leaves the session; resolves with the exit code. */
export async function runInSession(member: Membership, path: string, call: Call, tools: Tools): Promise<number> {
  try {
    const variables = await readEnvironment(member.report, tools)
    call.output.endProgress()
    const inSession = { ...variables, TESTFLEET_KEEPER: member.socket }
    const exitCode = await runProgram(path, call.command.slice(1), inSession, call)
    // Before what it used is gone.
    if (exitCode !== 0 && !call.signal.aborted) {
      await captureFailedCommand(exitCode, member.report.session, call, tools)
    }
    return exitCode
  } finally {
    await leave(member, tools)
    call.output.endProgress()
  }
}

const CLEANUP_TIMEOUT_MS = 60_000

/** With a deadline of its own: the call's signal may be what ended the command. */
async function leave(member: Membership, tools: Tools): Promise<void> {
  const others = await member.end({ ...tools, signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) })
  if (others === 0) return
  const who = others === 1 ? 'another holds it' : `${others} others hold it`
  tools.onEvent({ kind: 'warned', message: `the session ${member.report.session} stays: ${who}` })
}
