import { readEnvironment } from '../session/read-environment.ts'
import { checkSessionName, makeSessionName } from '../session/session-name.ts'
import type { Tools } from '../session/tools.ts'
import { type HeldSession, startSession } from '../up.ts'
import { type Call, flag } from './call.ts'
import { bindOption, loadCallFleet } from './load-call-fleet.ts'
import { withTools } from './open-tools.ts'
import { findProgram, runProgram } from './run-program.ts'

export async function run(call: Call): Promise<number> {
  const [program = '', ...programArguments] = call.command
  const path = await findProgram(program, call.host)
  const fleet = await loadCallFleet(call)
  const session = call.session === undefined ? makeSessionName(fleet.name) : checkSessionName(call.session)
  const servers = [call.options.server ?? []].flat().map(String)
  const request = { fleet, servers, session, isNew: true, bind: bindOption(call), keepOnFailure: flag(call, 'keep') }
  return withTools(call, async (tools) => {
    const held = await startSession(request, tools)
    try {
      const variables = await readEnvironment(held.report, tools)
      call.output.endProgress()
      return await runProgram(path, programArguments, { ...variables, TESTFLEET_KEEPER: held.socket }, call)
    } finally {
      await leave(held, session, tools)
      call.output.endProgress()
    }
  })
}

const CLEANUP_TIMEOUT_MS = 60_000

/** With a deadline of its own: the call's signal may be what ended the command. */
async function leave(held: HeldSession, session: string, tools: Tools): Promise<void> {
  const others = await held.end({ ...tools, signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) })
  if (others === 0) return
  const who = others === 1 ? 'another holds it' : `${others} others hold it`
  tools.onEvent({ kind: 'warned', message: `the session ${session} stays: ${who}` })
}
