import { TestfleetError } from '../model/failures.ts'

/** Fails with USAGE if standard output is a terminal. */
export function refuseTerminalOutput(): void {
  if (!process.stdout.isTTY) return
  throw new TestfleetError('USAGE', 'a tar stream is not written to a terminal', {
    hint: 'Send it to a file or a program, such as `| tar tv`.',
  })
}

/** Fails with USAGE if standard input is a terminal. */
export function refuseTerminalInput(): void {
  if (!process.stdin.isTTY) return
  throw new TestfleetError('USAGE', 'a tar stream is not read from a terminal', {
    hint: 'Send it from a file or a program, such as `< images.tar`.',
  })
}
