import type { Tools } from '../tools.ts'
import type { Membership } from '../up/membership.ts'

/** Leaves a session, and reports if it stays because others hold it. */
export async function leaveAndTell(member: Membership, tools: Tools): Promise<void> {
  const others = await member.end(tools)
  if (others === 0) return
  const who = others === 1 ? 'another holds it' : `${others} others hold it`
  tools.onEvent({ kind: 'warned', message: `the session ${member.report.session} stays: ${who}` })
}

/** Default time limit for leaving a session, in milliseconds. */
export async function timeToLeave({ record }: Membership, tools: Tools): Promise<number> {
  const { cleanupTimeoutMs } = await import('../sessions/cleanup-signal.ts')
  return cleanupTimeoutMs(record.id, tools)
}
