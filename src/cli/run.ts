import { down } from '../down.ts'
import { readEnvironment } from '../session/read-environment.ts'
import { checkSessionName, makeSessionName } from '../session/session-name.ts'
import type { Tools } from '../session/tools.ts'
import { up } from '../up.ts'
import { BRING_UP_TIMEOUT_MS, withinTime } from '../within-time.ts'
import { type Call, durationOption, flag } from './call.ts'
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
  const timeoutMs = durationOption(call, 'timeout', BRING_UP_TIMEOUT_MS)
  return withTools(call, async (tools) => {
    const report = await withinTime(timeoutMs, tools, (limited) => up(request, limited))
    try {
      const variables = await readEnvironment(report, tools)
      call.output.endProgress()
      return await runProgram(path, programArguments, variables, call)
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
