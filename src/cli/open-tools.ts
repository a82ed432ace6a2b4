import { openEngine } from '../engine/open-engine.ts'
import { resolveArchive } from '../failure/archive-path.ts'
import { Recorder } from '../failure/recorder.ts'
import { sweep } from '../session/sweep.ts'
import type { Tools } from '../session/tools.ts'
import { type Call, flag, textOption } from './call.ts'

/** Opens the engine for the time of the work, once what dead calls have left on it is gone. */
export async function withTools<Result>(
  call: Call,
  work: (tools: Tools) => Promise<Result>,
  { isSwept = true }: { readonly isSwept?: boolean } = {},
): Promise<Result> {
  const bundle = textOption(call, 'bundle')
  const archive = bundle === undefined ? undefined : await resolveArchive(bundle, call.host)
  const engine = await openEngine(
    call.engine,
    call.host,
    flag(call, 'insecure-engine') ? { isInsecureAllowed: true } : {},
  )
  const recorder = new Recorder({ archive })
  const onEvent = recorder.listen(call.output.onEvent)
  try {
    const tools = { host: call.host, engine, recorder, onEvent, signal: call.signal, cancelSignal: call.signal }
    if (isSwept) await sweep(tools)
    return await work(tools)
  } finally {
    engine.close()
  }
}

export function writeJson(call: Call, value: unknown): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}
