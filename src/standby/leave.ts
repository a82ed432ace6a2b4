import type { Host } from '../model/host.ts'
import { ownHolder } from '../sessions/keeper/client.ts'
import type { Tools } from '../tools.ts'
import type { Taken } from './take.ts'

/**
 * Leaves a copy that a command has used. Its keeper removes it in the background, so that the next call need not wait.
 * Resolves with the number of remaining holders.
 */
export async function leaveToKeeper(taken: Taken, host: Host, tools: Tools): Promise<number> {
  const { keeper } = taken
  try {
    const others = (await keeper.ask({ do: 'leave' }))?.held
    // The keeper removes the session when this process disconnects.
    return others === 0 ? 0 : await leaveWith(taken, host, tools)
  } finally {
    closeTaken(taken)
  }
}

/** Leaves a copy, and removes it unless others hold it. Resolves with the number of remaining holders. */
export async function leaveTaken(taken: Taken, host: Host, tools: Tools): Promise<number> {
  const { keeper } = taken
  try {
    const others = await leaveWith(taken, host, tools)
    if (others === 0) keeper.send({ do: 'end' })
    return others
  } finally {
    closeTaken(taken)
  }
}

/** Ends the connections of this process to a copy. Its keeper removes it unless others hold it. */
export function closeTaken({ keeper, listener }: Taken): void {
  keeper.close()
  listener.close()
}

/** Loaded on demand: nobody else holds most sessions of commands. */
async function leaveWith({ record, keeper }: Taken, host: Host, tools: Tools): Promise<number> {
  const { leaveSession } = await import('../sessions/hold.ts')
  return leaveSession(
    record.id,
    ownHolder(host.processId),
    async () => (await keeper.ask({ do: 'leave' }))?.held,
    tools,
  )
}
