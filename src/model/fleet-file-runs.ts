import * as z from 'zod'
import * as grammar from '../formats/grammar.ts'
import { optional } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'

/** Keys of a server that does not run in a container. */

const argument = z
  .string()
  .refine(grammar.isWholeText, 'cannot hold half of a character (a lone surrogate)')
  .refine(grammar.hasNoNul, 'cannot hold a NUL character')

const fromCaller = z.strictObject({
  env: z
    .string()
    .regex(grammar.PROCESS_VARIABLE, {
      error: 'must be the name of a variable: at most 4096 characters, none of them `=` or NUL',
    })
    .describe('A variable of the environment in which testfleet is called.'),
})

export const runKeys = {
  process: optional(
    z
      .array(argument)
      .min(1, 'needs at least one item')
      .refine(rules.namesProgram, { error: 'must name a program', path: [0] }),
    'A program of this machine, as a list of arguments, instead of a container. It listens on 127.0.0.1 itself.',
  ),
  external: optional(
    // What a URL must be is checked where it is read: a message of the schema would quote it, with its password.
    z.union([z.string(), fromCaller]),
    'URL of a server that runs already, such as postgres://app@db.staging:5432/app, instead of a container. `{ env: NAME }` takes it from the environment in which testfleet is called; while that variable is not set, the server is the container that the other keys declare.',
  ),
}
