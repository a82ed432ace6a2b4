import { constants } from 'node:os'

/** Set by `bin/testfleet`: the mask of signals that its caller ignores. Node forgets it before any of our code runs. */
const variable = 'TESTFLEET_SIGIGN'

/** Signals that a shell, `nohup` or a supervisor ignores for the programs that it starts. */
const known = [
  ...(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGPIPE', 'SIGALRM', 'SIGUSR1', 'SIGUSR2'] as const),
  ...(['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const),
]

/** Returns the signals that the caller ignores. They stay ignored, here and for the command of `run`. */
export function takeIgnoredSignals(environment: Record<string, string | undefined>): readonly NodeJS.Signals[] {
  const mask = environment[variable] ?? ''
  delete environment[variable]
  if (!/^[0-9a-f]{1,32}$/.test(mask)) return []
  return known.filter((name) => (BigInt(`0x${mask}`) >> BigInt(constants.signals[name] - 1)) & 1n)
}

/** By default, Node obeys signals, except SIGPIPE, and SIGUSR1, which starts the debugger. */
export function ignoreSignals(names: readonly NodeJS.Signals[]): void {
  for (const name of names) if (name !== 'SIGPIPE') process.on(name, () => {})
}
