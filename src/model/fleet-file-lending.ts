import * as z from 'zod'
import { DURATION } from '../formats/duration.ts'
import * as grammar from '../formats/grammar.ts'
import { hookCommand, hookFields } from './fleet-file-hooks.ts'
import { optional } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'
import { isolations, MOST_COPIES, MOST_STEPS } from './lending.ts'

/** How pristine copies of a server are lent to tests. */

/** More is no line of a console but a file. */
const MOST_SENT = 65_536
const MOST_EXPECTED = 1024

const text = z
  .string()
  .min(1)
  .refine(grammar.isWholeText, 'cannot hold half of a character (a lone surrogate)')
  .refine(grammar.hasNoNul, 'cannot hold a NUL character')
const answer = text.max(MOST_EXPECTED, `must be at most ${MOST_EXPECTED} characters`)
const sent = text.max(MOST_SENT, `must be at most ${MOST_SENT} characters`)
const line = sent.refine(rules.isSingleLine, 'must be one line with no control characters')
const lines = z.array(line).max(MOST_STEPS, `must be at most ${MOST_STEPS} lines`)

const timeout = (what: string) =>
  optional(
    z.union([
      z.number().refine(rules.isStepTime, 'must be from 1 ms to 10m'),
      z
        .string()
        .regex(DURATION, { error: 'must be a time such as 1500ms, 30s or 2m', abort: true })
        .refine(rules.isStepTime, 'must be from 1 ms to 10m'),
    ]),
    `How long ${what} may take, up to 10m.`,
  )

const { command, ...surroundings } = hookFields

const step = z.union([
  hookCommand,
  z
    .strictObject({
      command: command.optional(),
      console: optional(
        hookCommand,
        'A program that is kept open inside the server, such as [redis-cli], instead of `command`. It is started again when it has ended.',
      ),
      send: optional(
        sent,
        'Text for the standard input of the console. A line feed is added if it does not end with one.',
      ),
      expect: optional(answer, 'The step has succeeded once the console has answered this text.'),
      fail: optional(answer, 'The step has failed once the console has answered this text.'),
      ...surroundings,
      restarts: optional(
        z.boolean(),
        "`false` says that the step leaves the server's program running and answering. If every step says so, a reset ends without asking the ready checks again. Default: true.",
      ),
      timeout: timeout('the step').describe('How long the step may take, up to 10m. Default: 10s.'),
    })
    .refine(rules.exactlyOneOf('command', 'console'), 'needs exactly one of `command` and `console`')
    .refine(rules.goesWith('console', 'send'), 'a console needs `send`')
    .refine(rules.goesWith('console', 'expect'), 'a console needs `expect`')
    .refine(rules.goesWith('send', 'console'), { path: ['send'], message: '`send` goes with `console`' })
    .refine(rules.goesWith('expect', 'console'), { path: ['expect'], message: '`expect` goes with `console`' })
    .refine(rules.goesWith('fail', 'console'), { path: ['fail'], message: '`fail` goes with `console`' }),
])

const database = z.strictObject({
  name: z
    .string()
    .regex(grammar.DATABASE, {
      error: 'must be at most 63 letters, digits, _ and -, starting with a letter or _',
      abort: true,
    })
    .describe("The server's own database, of which leases are copies."),
  console: hookCommand.describe(
    'A program that is kept open inside the server, reads lines, and ends when one of them fails.',
  ),
  user: surroundings.user,
  environment: surroundings.environment,
  mark: line
    .refine(rules.hasMark, 'must contain ${mark}')
    .describe('A line for the console that prints `${mark}`: it shows that all lines before it are done.'),
  template: lines.describe('Lines that make `${template}`, a copy of `${name}` that nobody uses. Run once.'),
  create: lines.min(1).describe('Lines that make `${database}`, a copy of `${template}`.'),
  close: lines
    .min(1)
    .optional()
    .describe(
      'Lines that end the connections to `${database}`, refuse new ones, and print its size in bytes at the end. Without them, it is dropped as soon as its lease ends.',
    ),
  drop: lines.min(1).describe('Lines that drop `${database}`, also while it is in use.'),
  timeout: timeout('one of these lists').describe('How long one of these lists may take, up to 10m. Default: 60s.'),
})

const size = z
  .int('must be a whole number')
  .min(1, `must be from 1 to ${MOST_COPIES}`)
  .max(MOST_COPIES, `must be from 1 to ${MOST_COPIES}`)

export const lendingKeys = {
  pool: optional(
    z.union([
      size,
      z.strictObject({
        size: size.describe('How many copies are kept.'),
        paused: optional(
          z.boolean(),
          'Pauses copies while nobody uses them: they then take memory and no CPU. Default: false.',
        ),
      }),
    ]),
    `How many pristine copies are kept for leases, from 1 to ${MOST_COPIES}. With \`isolation: database\`, how many databases are prepared. Without it, the first lease makes one.`,
  ),
  isolation: optional(
    z.enum(isolations),
    'What a lease is: `container`, a copy of the container that is replaced afterwards; `reset`, a copy of the container that `reset` makes pristine again; `database`, a separate database in this server. Default: `reset` if the server has such a recipe, else `container`.',
  ),
  reset: optional(
    z.array(step).max(MOST_STEPS, `must be at most ${MOST_STEPS} steps; put more into a script`),
    'Steps that undo everything a client can change, so that the server is as it was when it became ready. Commands run inside it; `postStart` runs again after them. An empty list says that clients can change nothing. Some presets bring theirs.',
  ),
  database: optional(
    database,
    "How a separate database is made for a lease. The presets postgresql and mariadb bring theirs. `${database}` in `export`, and `{ database: true }` in `execEnvironment`, is the name of the leased database, else of the server's own.",
  ),
}
