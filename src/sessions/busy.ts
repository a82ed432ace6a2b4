import type { SessionTools } from './tools.ts'

/** Whether another call makes servers of a fleet now. `own` is the id of this call's change. */
export async function isFleetBusy(
  fleet: string,
  own: string,
  { sessions, signal }: Pick<SessionTools, 'sessions' | 'signal'>,
): Promise<boolean> {
  const { sessions: all } = await sessions.list({ signal })
  return all.some((one) => one.fleet === fleet && one.change?.stage === 'making' && one.change.id !== own)
}
