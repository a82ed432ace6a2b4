import { resolveArchive } from '../failure/archive-path.ts'
import { openTools, sweepSessions } from '../open-tools.ts'
import type { StoredRecord } from '../sessions/record.ts'
import { requireSession } from '../sessions/resolve.ts'
import type { Tools } from '../tools.ts'
import { type Call, flag, textOption } from './call.ts'
import { chooseCallSession } from './find-session.ts'

/** Opens the engine for the time of the work, which gets the sessions that there are once what dead calls left is gone. */
export async function withTools<Result>(
  call: Call,
  work: (tools: Tools, sessions: readonly StoredRecord[]) => Promise<Result>,
  { isSwept = true }: { readonly isSwept?: boolean } = {},
): Promise<Result> {
  const bundle = textOption(call, 'bundle')
  const archive = bundle === undefined ? undefined : await resolveArchive(bundle, call.host)
  const isInsecureAllowed = flag(call, 'insecure-engine')
  const { onEvent } = call.output
  const tools = await openTools(
    { engine: call.engine, isInsecureAllowed, archive, onEvent, signal: call.signal },
    call.host,
  )
  try {
    const { sessions } = isSwept ? await sweepSessions(tools) : { sessions: [] }
    return await work(tools, sessions)
  } finally {
    tools.engine.close()
  }
}

/** As `withTools`, for work on the session that the call means. Fails with NO_SESSION when it is not there. */
export async function withSession<Result>(
  call: Call,
  work: (session: StoredRecord, tools: Tools) => Promise<Result>,
): Promise<Result> {
  const choice = await chooseCallSession(call)
  return withTools(call, (tools, sessions) => work(requireSession(choice, sessions), tools))
}

export function writeJson(call: Call, value: unknown): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}
