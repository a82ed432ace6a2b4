import type { SessionTools } from './tools.ts'

/** Whether another call is creating servers of a fleet. `own` is the id of this call's change. */
export async function isFleetBusy(
  fleet: string,
  own: string,
  { sessions, signal }: Pick<SessionTools, 'sessions' | 'signal'>,
): Promise<boolean> {
  const { sessions: all } = await sessions.list({ signal })
  return all.some((one) => one.fleet === fleet && one.change?.stage === 'making' && one.change.id !== own)
}
