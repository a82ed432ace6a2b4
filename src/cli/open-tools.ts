import { openEngine } from '../engine/open-engine.ts'
import type { Tools } from '../session/tools.ts'
import type { Call } from './call.ts'

/** Opens the engine for the time of the work. */
export async function withTools<Result>(call: Call, work: (tools: Tools) => Promise<Result>): Promise<Result> {
  const engine = await openEngine(call.engine, call.host)
  try {
    return await work({ host: call.host, engine, onEvent: call.output.onEvent, signal: call.signal })
  } finally {
    engine.close()
  }
}

export function writeJson(call: Call, value: unknown): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}
