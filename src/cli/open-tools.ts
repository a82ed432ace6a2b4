import { openEngine } from '../engine/open-engine.ts'
import { sweep } from '../session/sweep.ts'
import type { Tools } from '../session/tools.ts'
import type { Call } from './call.ts'

/** Opens the engine for the time of the work, once what dead calls have left on it is gone. */
export async function withTools<Result>(
  call: Call,
  work: (tools: Tools) => Promise<Result>,
  { isSwept = true }: { readonly isSwept?: boolean } = {},
): Promise<Result> {
  const engine = await openEngine(call.engine, call.host)
  try {
    const tools = { host: call.host, engine, onEvent: call.output.onEvent, signal: call.signal }
    if (isSwept) await sweep(tools)
    return await work(tools)
  } finally {
    engine.close()
  }
}

export function writeJson(call: Call, value: unknown): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}
