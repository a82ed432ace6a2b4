/** Set by `bin/testfleet`, in base64: the variables that its shell drops, as /proc/PID/environ has them. */
const variable = 'TESTFLEET_DROPPED'

/**
 * Gives the environment the variables back that the shell of `bin/testfleet` drops because no shell variable can have such a
 * name: functions that bash exports, `A-B`, `a.b`.
 */
export function restoreDroppedVariables(environment: Record<string, string | undefined>): void {
  const text = Buffer.from(environment[variable] ?? '', 'base64').toString()
  delete environment[variable]
  for (const entry of text.split('\0')) {
    const end = entry.indexOf('=')
    // Some shells keep them.
    if (end > 0) environment[entry.slice(0, end)] ??= entry.slice(end + 1)
  }
}
