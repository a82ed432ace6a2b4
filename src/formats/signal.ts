import { constants } from 'node:os'
import { SIGNAL } from './grammar.ts'

/** Real-time signals have no name of their own on this machine. */
const REAL_TIME = /^SIGRTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/
const LAST_NUMBER = 64

/**
 * Returns the name of a signal that kill(1) would accept, with the prefix SIG: `hup`, `HUP`, `SIGHUP` and `1` are all
 * SIGHUP. A number without a name stays a number. Undefined for anything else.
 */
export function readSignal(text: string): string | undefined {
  const known = Object.entries(constants.signals)
  if (/^\d{1,2}$/.test(text)) {
    const number = Number(text)
    if (number < 1 || number > LAST_NUMBER) return undefined
    return known.find(([, value]) => value === number)?.[0] ?? String(number)
  }
  const upper = text.toUpperCase()
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`
  const isKnown = known.some(([one]) => one === name) || REAL_TIME.test(name)
  return isKnown && SIGNAL.test(name) ? name : undefined
}
