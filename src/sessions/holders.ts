import { TestfleetError } from '../model/failures.ts'
import type { Holder, Lifetime, Machine } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { nameCommand } from './name-command.ts'
import { judgeHolders, readAncestors, readCommandLine, readMachine, readWorkingFolder } from './processes.ts'
import type { StoredRecord } from './store.ts'

/** Returns the holders of a session that are alive or cannot be seen from here. */
export function findHolders({ holders = [] }: Lifetime, here: Machine = readMachine()): readonly Holder[] {
  return holders.filter((holder) => judgeHolders([holder], here) !== 'dead')
}

/** Combines the new lifetime with the current holders, which may have changed during the change. */
export function mergeLifetime(now: Lifetime, next: Lifetime | undefined): Lifetime {
  if (next === undefined) return now
  if (now.kind === 'held' || next.kind === 'held') return next.kind === now.kind ? now : next
  return { ...next, holders: now.holders }
}

export function describeHolder(holder: Pick<Holder, 'machine' | 'process'> | undefined): string {
  return holder === undefined ? 'another call' : `process ${holder.process.pid} of ${holder.machine.name}`
}

/**
 * Names a process and its command, for a message on this machine: the machine is left out there, and the folder of a process
 * that has the same. A process elsewhere has its machine in place of its command.
 */
export function nameHolder(holder: Pick<Holder, 'machine' | 'process'> | undefined, here = readMachine()): string {
  if (holder === undefined || !isHere(holder, here)) return describeHolder(holder)
  const { pid } = holder.process
  const folder = readWorkingFolder(pid)
  const command = nameCommand(readCommandLine(pid), folder === readWorkingFolder('self') ? undefined : folder)
  return `process ${pid}${command === '' ? '' : ` (${command})`}`
}

/** Whether the ids of processes there mean the same here. */
function isHere({ machine }: Pick<Holder, 'machine'>, here: Machine): boolean {
  return machine.id === here.id && machine.pidSpace === here.pidSpace && machine.boot === here.boot
}

/**
 * Fails with SESSION_BUSY when others hold the session. Processes that this process runs under do not count: the
 * command of `run` may call `down`, and so may a shell that has joined.
 */
export function requireNoOthers(
  record: StoredRecord,
  processId: number,
  hint = `Wait until it has ended, or add ${say('force')} to remove its servers anyway.`,
): void {
  const here = readMachine()
  const holders = findHolders(record.lifetime, here)
  if (holders.length === 0) return
  const own = readAncestors(processId)
  const [other, ...more] = holders.filter((holder) => !isHere(holder, here) || !own.has(holder.process.pid))
  if (other === undefined) return
  const who = nameHolder(other, here)
  const others = more.length === 0 ? '' : ` and ${more.length} more`
  throw new TestfleetError('SESSION_BUSY', `the session ${record.name} is held by ${who}${others}`, { hint })
}
