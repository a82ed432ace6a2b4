/**
 * Calls `act` after `delayMs`, once everything that had arrived by then was read. Without that, a process that was busy
 * for so long would take its own slowness for silence of the server. Returns a function that cancels it.
 */
export function afterReading(delayMs: number, act: () => void): () => void {
  let turn: NodeJS.Immediate | undefined
  // The event loop runs timers, then reads what has arrived, then runs immediates.
  const timer = setTimeout(() => {
    turn = setImmediate(act)
  }, delayMs)
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}
