import type { Change, Holder, Lifetime, Machine } from '../model/session.ts'
import { isAlive } from './processes.ts'

/** `unknown`: the processes are on another machine, or in a container, and cannot be seen from here. */
export type Life = 'alive' | 'dead' | 'unknown'

/** Says whether anything still keeps a session, as far as can be told from this machine. */
export function judgeLifetime(lifetime: Lifetime, here: Machine, nowMs: number): Life {
  switch (lifetime.kind) {
    case 'lasting':
      return 'alive'
    case 'until':
      return lifetime.untilMs > nowMs ? 'alive' : 'dead'
    case 'held':
      return judgeHolders([...lifetime.holders, ...(lifetime.keeper ? [lifetime.keeper] : [])], here)
  }
}

/** Says whether the call that changes a session, or its keeper, still works on it. */
export function judgeChange({ by, keeper }: Change, here: Machine): Life {
  return judgeHolders(keeper === undefined ? [by] : [by, keeper], here)
}

export function judgeHolders(holders: readonly Holder[], here: Machine): Life {
  const lives = new Set(holders.map((holder) => judgeHolder(holder, here)))
  if (lives.has('alive')) return 'alive'
  return lives.has('unknown') ? 'unknown' : 'dead'
}

function judgeHolder({ machine, process }: Holder, here: Machine): Life {
  if (machine.name !== here.name || machine.id !== here.id) return 'unknown'
  if (machine.boot !== here.boot) return machine.boot === '' || here.boot === '' ? 'unknown' : 'dead'
  if (machine.pidSpace !== here.pidSpace) return 'unknown'
  return isAlive(process) ? 'alive' : 'dead'
}
