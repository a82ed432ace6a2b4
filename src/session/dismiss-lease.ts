import type { Lease } from '../model/lease.ts'
import { joinKeeper } from '../sessions/keeper/join-keeper.ts'
import { isKeeperSocket } from '../sessions/keeper/socket-path.ts'
import type { Tools } from './tools.ts'

/** Takes a lease off the engine whose session is gone, or has another lease now, and lets its keeper end. */
export async function dismissLease(lease: Lease, { engine, host, signal }: Tools): Promise<void> {
  await engine.removeVolume(lease.volume, { signal })
  const { socket = '', processes = [] } = lease.holder ?? {}
  // Our own keeper hears of it from us.
  if (processes[0]?.pid === host.processId || !isKeeperSocket(socket)) return
  const keeper = await joinKeeper(socket)
  keeper?.tell({ do: 'end' })
  keeper?.close()
}
