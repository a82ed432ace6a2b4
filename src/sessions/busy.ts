import type { SessionTools } from './tools.ts'

/** Whether another call makes servers of a fleet now. `own` is the id of the session that this call changes. */
export async function isFleetBusy(
  fleet: string,
  own: string | undefined,
  { sessions, signal }: Pick<SessionTools, 'sessions' | 'signal'>,
): Promise<boolean> {
  const { sessions: all } = await sessions.list({ signal })
  return all.some((one) => one.fleet === fleet && one.id !== own && one.change?.stage === 'making')
}
