import { loadFleet } from '../config/load-fleet.ts'
import type { Fleet } from '../model/fleet.ts'
import { type Call, choice } from './call.ts'

export function loadCallFleet(call: Call): Promise<Fleet> {
  return loadFleet({ kind: 'file', named: call.file }, call.host)
}

export function bindOption(call: Call): 'free' | 'fixed' {
  return choice(call, 'bind', ['free', 'fixed']) ?? 'free'
}
