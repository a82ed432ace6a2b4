import { holdForProcess, releaseProcess } from '../../sessions/hold.ts'
import { type CallSettings, withSession } from '../call.ts'
import type { HeldSession } from '../types/hold.ts'
import type { SessionOptions } from '../types/options.ts'

export function hold(client: CallSettings, pid: number, options: SessionOptions): Promise<HeldSession> {
  return change(holdForProcess, client, pid, options)
}

export function release(client: CallSettings, pid: number, options: SessionOptions): Promise<HeldSession> {
  return change(releaseProcess, client, pid, options)
}

function change(
  work: typeof holdForProcess,
  client: CallSettings,
  pid: number,
  options: SessionOptions,
): Promise<HeldSession> {
  return withSession(client, options, async (session, tools) => {
    const held = await work(session, pid, tools)
    return { session: session.name, pid, held, stays: session.lifetime.kind !== 'held' }
  })
}
