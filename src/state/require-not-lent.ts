import { seekLender } from '../lease/lender-place.ts'
import { connectLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Isolation } from '../model/lending.ts'
import { say } from '../model/surface.ts'
import { lenderSocketOf } from '../sessions/lender-socket.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

const ANSWER_MS = 10_000

type LenderTools = Pick<Tools, 'host' | 'runtime' | 'sessions' | 'signal'>

/**
 * Fails with SESSION_BUSY while databases inside the server are lent, or may be: they would end with its container.
 * `patienceMs` is how long a lender that runs may not be reachable.
 */
export async function requireNotLent(
  record: StoredRecord,
  server: string,
  tools: LenderTools,
  patienceMs?: number,
): Promise<void> {
  const isInside = record.servers[server]?.lending?.isolation === 'database'
  try {
    // Databases may still be lent as an earlier state of the fleet file said.
    const lender = isInside
      ? await seek(record, tools, patienceMs)
      : await connectLender(lenderSocketOf(record, tools.host), tools.signal)
    const lent = lender === undefined ? 0 : await countLent(lender, server, tools.signal)
    if (lent > 0) throw busy(server, `${lent} of its databases ${lent === 1 ? 'is' : 'are'} lent`)
  } catch (error) {
    if (!isFailure(error, 'LENDER_LOST') && !isFailure(error, 'TIMED_OUT')) throw error
    if (isInside) throw busy(server, `its databases may be lent: ${error.message}`)
  }
}

/** Resolves with undefined when no lender runs. */
async function seek(record: StoredRecord, tools: LenderTools, patienceMs?: number): Promise<LenderClient | undefined> {
  const found = await seekLender(record, tools, patienceMs)
  return 'client' in found ? found.client : undefined
}

function busy(server: string, why: string): TestfleetError {
  const hint = `Wait until the leases have ended, or add ${say('force')}, which ends them.`
  return new TestfleetError('SESSION_BUSY', `${server}: ${why}`, { server, hint })
}

/** Counts the server's databases that are lent: as the fleet file says now, and as it said earlier. */
async function countLent(lender: LenderClient, server: string, signal: AbortSignal): Promise<number> {
  try {
    const { servers } = await lender.ask({ status: true }, { timeoutMs: ANSWER_MS, signal })
    const { earlier = [], ...now } = (servers as Status | undefined)?.[server] ?? {}
    const inside = [now, ...earlier].filter(({ isolation }) => isolation === 'database')
    return inside.reduce((sum, { lent = 0 }) => sum + lent, 0)
  } catch (error) {
    // Its leases have ended with it.
    if (isFailure(error, 'LENDER_LOST')) return 0
    throw error
  } finally {
    lender.close()
  }
}

interface LendableStatus {
  readonly isolation?: Isolation
  readonly lent?: number
}

type Status = Readonly<Record<string, LendableStatus & { readonly earlier?: readonly LendableStatus[] }>>
