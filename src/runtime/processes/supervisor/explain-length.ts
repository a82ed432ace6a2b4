import { TestfleetError } from '../../../model/failures.ts'
import type { ProgramSpec } from '../protocol.ts'

/** Returns what to say when a program cannot start because it would get too much; any other failure as it is. */
export function explainLength(
  cause: unknown,
  { command, environment }: Pick<ProgramSpec, 'command' | 'environment'>,
): unknown {
  if ((cause as NodeJS.ErrnoException).code !== 'E2BIG') return cause
  const words = command.map((word, index): [string, string] => [`argument ${index}`, word])
  const [[name, text] = ['', '']] = [...words, ...Object.entries(environment)].toSorted(
    ([, one], [, other]) => Buffer.byteLength(other) - Buffer.byteLength(one),
  )
  const longest = `the longest is ${name}, with ${Buffer.byteLength(text)} bytes`
  return new TestfleetError('START_FAILED', `its arguments and variables are too long for this system; ${longest}`, {
    cause,
  })
}
