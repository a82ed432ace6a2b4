import { down } from '../down.ts'
import { readEnvironment } from '../session/read-environment.ts'
import { checkSessionName, makeSessionName } from '../session/session-name.ts'
import type { Tools } from '../session/tools.ts'
import { up } from '../up.ts'
import { type Call, flag } from './call.ts'
import { captureFailedCommand } from './failed-command.ts'
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
    const report = await up(request, tools)
    try {
      const variables = await readEnvironment(report, tools)
      call.output.endProgress()
      const exitCode = await runProgram(path, programArguments, variables, call)
      if (exitCode !== 0 && !call.signal.aborted) await captureFailedCommand(exitCode, session, call, tools)
      return exitCode
    } finally {
      await takeDown(session, tools)
      call.output.endProgress()
    }
  })
}

const CLEANUP_TIMEOUT_MS = 60_000

/** With a deadline of its own: the call's signal may be what ended the command. */
async function takeDown(session: string, tools: Tools): Promise<void> {
  await down(session, { ...tools, signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) })
}
