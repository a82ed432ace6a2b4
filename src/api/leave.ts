import type { Tools } from '../tools.ts'
import type { Membership } from '../up/membership.ts'

/** Leaves a session, and reports if it stays because others hold it. */
export async function leaveAndTell(member: Membership, tools: Tools): Promise<void> {
  const others = await member.end(tools)
  if (others === 0) return
  const who = await nameOthers(others, member, tools)
  tools.onEvent({ kind: 'warned', message: `the session ${member.report.session} stays: ${who}` })
}

/** A program that holds a session by a connection alone is not in its record. */
async function nameOthers(others: number, { record }: Membership, { sessions, signal }: Tools): Promise<string> {
  const now = await sessions.find(record.id, { signal }).catch(() => undefined)
  const { findHolders, nameHolder } = await import('../sessions/holders.ts')
  const [first] = now === undefined ? [] : findHolders(now.lifetime)
  if (first === undefined) return others === 1 ? 'another process holds it' : `${others} other processes hold it`
  if (others === 1) return `${nameHolder(first)} holds it`
  return `${nameHolder(first)} and ${others - 1} ${others === 2 ? 'other' : 'others'} hold it`
}

/** Default time limit for leaving a session, in milliseconds. */
export async function timeToLeave({ record }: Membership, tools: Tools): Promise<number> {
  const { cleanupTimeoutMs } = await import('../sessions/cleanup-signal.ts')
  return cleanupTimeoutMs(record.id, tools)
}
