import { connectLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { SessionRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { lenderSocketOf } from '../sessions/lender-socket.ts'
import type { Tools } from '../tools.ts'

const ANSWER_MS = 10_000

/** Fails with SESSION_BUSY while databases inside the server are lent: they would end with its container. */
export async function requireNotLent(
  record: Pick<SessionRecord, 'id' | 'servers' | 'lender'>,
  server: string,
  { host, signal }: Pick<Tools, 'host' | 'signal'>,
): Promise<void> {
  if (record.servers[server]?.lending?.isolation !== 'database') return
  const lender = await connectLender(lenderSocketOf(record, host))
  if (lender === undefined) return
  try {
    const lent = await countLent(lender, server, signal)
    if (lent === 0) return
    const message = `${server}: ${lent} of its databases ${lent === 1 ? 'is' : 'are'} lent`
    const hint = `Wait until the leases have ended, or add ${say('force')}, which ends them.`
    throw new TestfleetError('SESSION_BUSY', message, { server, hint })
  } finally {
    lender.close()
  }
}

async function countLent(lender: LenderClient, server: string, signal: AbortSignal): Promise<number> {
  try {
    const { servers } = await lender.ask({ status: true }, { timeoutMs: ANSWER_MS, signal })
    return (servers as Status | undefined)?.[server]?.lent ?? 0
  } catch (error) {
    // Its leases have ended with it.
    if (isFailure(error, 'LENDER_LOST')) return 0
    throw error
  }
}

type Status = Readonly<Record<string, { readonly lent?: number }>>
