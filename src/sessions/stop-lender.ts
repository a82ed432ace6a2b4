import { connect } from 'node:net'
import { onAbort } from '../model/on-abort.ts'
import type { SessionRecord } from '../model/session.ts'
import { isOwnSocket } from './keeper/client.ts'

/** A lender takes less, unless it hangs: it cancels what it prepares, and removes its copies. */
const PATIENCE_MS = 30_000

/**
 * Ends the process that lends a session's servers, and waits until it has removed everything that it prepared. Resolves at
 * once when none runs. Rejects with the reason of the signal.
 */
export async function stopLender(
  { id, lender }: Pick<SessionRecord, 'id' | 'lender'>,
  signal: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  signal.throwIfAborted()
  // A record could name any socket of this machine.
  if (lender === undefined || !isOwnSocket(lender.socket, new RegExp(`^lender-${id}(?:-[0-9a-f]+)?$`))) return
  const connection = connect(lender.socket)
  const giveUp = (): void => void connection.destroy()
  const clock = setTimeout(giveUp, patienceMs)
  const stopListening = onAbort(signal, giveUp)
  connection.on('error', () => {})
  connection.write(`${JSON.stringify({ id: 1, end: true })}\n`)
  // Its answer, or its end if it is killed.
  connection.once('data', giveUp)
  await new Promise((resolve) => void connection.once('close', resolve))
  clearTimeout(clock)
  stopListening()
  signal.throwIfAborted()
}
