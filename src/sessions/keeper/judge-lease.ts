import type { Lease, Machine } from '../../model/lease.ts'
import { isAlive } from './processes.ts'

/** `unknown`: it is of another machine, or of a container, whose processes cannot be seen from here. */
export type LeaseState = 'alive' | 'dead' | 'unknown'

/** Whether anybody keeps a lease alive, as far as can be told from this machine. */
export function judgeLease({ kind, holder }: Lease, here: Machine, nowMs: number): LeaseState {
  if (holder === undefined) return 'unknown'
  if (kind === 'time') return (holder.untilMs ?? 0) > nowMs ? 'alive' : 'dead'
  const { machine, processes } = holder
  if (machine.name !== here.name || machine.id !== here.id) return 'unknown'
  if (machine.boot !== here.boot) return machine.boot === '' || here.boot === '' ? 'unknown' : 'dead'
  if (machine.pidSpace !== here.pidSpace) return 'unknown'
  return processes.some(isAlive) ? 'alive' : 'dead'
}
