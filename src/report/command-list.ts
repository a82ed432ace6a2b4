import { TestfleetError } from '../model/failures.ts'

/** Fails with USAGE for a command that is no list of arguments: JavaScript callers have no compiler that finds it. */
export function checkCommandList(command: unknown): void {
  if (Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === 'string')) return
  const given = typeof command === 'string' ? JSON.stringify(command) : 'this'
  throw new TestfleetError('USAGE', `a command is a list of one or more strings, not ${given}`, {
    hint: "Write the program, then each of its arguments: ['psql', '-c', 'select 1'].",
  })
}
