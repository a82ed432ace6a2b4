import { SIGNAL } from './grammar.ts'

/** The signals of Linux, which is what containers run, from number 1 on. */
const names = [
  ...[
    'HUP',
    'INT',
    'QUIT',
    'ILL',
    'TRAP',
    'ABRT',
    'BUS',
    'FPE',
    'KILL',
    'USR1',
    'SEGV',
    'USR2',
    'PIPE',
    'ALRM',
    'TERM',
  ],
  ...['STKFLT', 'CHLD', 'CONT', 'STOP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'XCPU', 'XFSZ', 'VTALRM', 'PROF', 'WINCH', 'IO'],
  ...['PWR', 'SYS'],
]

const REAL_TIME = /^RTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/
const LAST_NUMBER = 64

/**
 * Returns the name of a signal that kill(1) would accept, with the prefix SIG: `hup`, `HUP`, `SIGHUP` and `1` are all
 * SIGHUP. A number without a name stays a number. Undefined for anything else.
 */
export function readSignal(text: string): string | undefined {
  if (/^\d{1,2}$/.test(text)) {
    const number = Number(text)
    if (number < 1 || number > LAST_NUMBER) return undefined
    const name = names[number - 1]
    return name === undefined ? String(number) : `SIG${name}`
  }
  const name = text.toUpperCase().replace(/^SIG/, '')
  const isKnown = names.includes(name) || REAL_TIME.test(name)
  return isKnown && SIGNAL.test(`SIG${name}`) ? `SIG${name}` : undefined
}
