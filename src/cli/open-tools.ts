import { loadFleet, loadFleetName } from '../config/load-fleet.ts'
import { openEngine } from '../engine/open-engine.ts'
import type { Fleet } from '../model/fleet.ts'
import { checkSessionName } from '../session/session-name.ts'
import type { Tools } from '../session/tools.ts'
import { type Call, choice } from './call.ts'

/** Opens the engine for the time of the work. */
export async function withTools<Result>(call: Call, work: (tools: Tools) => Promise<Result>): Promise<Result> {
  const engine = await openEngine(call.engine, call.host)
  try {
    return await work({ host: call.host, engine, onEvent: call.output.onEvent, signal: call.signal })
  } finally {
    engine.close()
  }
}

export function loadCallFleet(call: Call): Promise<Fleet> {
  return loadFleet({ kind: 'file', named: call.file }, call.host)
}

/** The session that is meant: the one named, else the fleet's own. The rest of the fleet file may be wrong. */
export async function findSessionName(call: Call): Promise<string> {
  return call.session === undefined ? loadFleetName(call.file, call.host) : checkSessionName(call.session)
}

export function bindOption(call: Call): 'free' | 'fixed' {
  return choice(call, 'bind', ['free', 'fixed']) ?? 'free'
}

export function writeJson(call: Call, value: unknown): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}
