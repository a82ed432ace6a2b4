import * as z from 'zod'
import { DURATION } from '../formats/duration.ts'
import * as grammar from '../formats/grammar.ts'
import { isContainerPath } from '../formats/paths.ts'
import { optional } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'
import { MOST_HOOKS } from './hook.ts'

/** Commands around the start and the stop of a server, as Compose's `post_start` and `pre_stop`. */

const systemText = z
  .string()
  .refine(grammar.isWholeText, 'cannot hold half of a character (a lone surrogate)')
  .refine(grammar.hasNoNul, 'cannot hold a NUL character')
/** A command, as a list of arguments. */
export const hookCommand = z.array(systemText).min(1, 'needs at least one item')
const variableName = z.string().regex(grammar.PROCESS_VARIABLE, {
  error: 'must be the name of a variable: at most 4096 characters, none of them `=` or NUL',
  abort: true,
})
const fromSecret = z.strictObject({
  secret: z
    .string()
    .regex(grammar.SECRET, { error: 'must be the name of a secret', abort: true })
    .describe('A secret of this server.'),
})
const timeoutText = z.string().regex(DURATION, { error: 'must be a time such as 1500ms, 30s or 2m', abort: true })

export const hookFields = {
  command: hookCommand.describe('The command, as a list of arguments.'),
  user: optional(
    z.union([z.string().regex(grammar.OWNER, { error: 'must be a user, or user:group', abort: true }), z.int().min(0)]),
    'Who it runs as. Default: the user that the server runs as.',
  ),
  workingDir: optional(
    z
      .string()
      .refine(isContainerPath, 'must be an absolute path inside the server, with no `..` and no control characters'),
    "The folder that it starts in. Default: the server's.",
  ),
  environment: optional(
    z.record(variableName, z.union([systemText, z.number(), z.boolean(), fromSecret])),
    'Variables of this command, in addition to those of the server. `{ secret: NAME }` takes a secret.',
  ),
}

export const startHook = z.union([
  hookCommand,
  z.strictObject({
    ...hookFields,
    timeout: optional(
      z.union([
        z.number().refine(rules.isDuration, 'must be from 1 ms to 24 days'),
        timeoutText.refine(rules.isDuration, 'must be from 1 ms to 24 days'),
      ]),
      'How long it may take. Default: 5m; in `preStop`, 10s.',
    ),
  }),
])

const stopHook = z.union([
  hookCommand,
  z.strictObject({
    ...hookFields,
    timeout: optional(
      z.union([
        z.number().refine(rules.isStopGrace, 'must be from 1s to 10m'),
        timeoutText.refine(rules.isStopGrace, 'must be from 1s to 10m'),
      ]),
      'How long it may take, from 1s to 10m. Default: 10s.',
    ),
  }),
])

const tooMany = `must be at most ${MOST_HOOKS} commands; put more into a script`

export const hookKeys = {
  preStart: optional(
    z.array(startHook).max(MOST_HOOKS, tooMany),
    'Commands that run before its own command. Each runs in a separate container with the same image, mounts, variables, secrets and network.',
  ),
  postStart: optional(
    z.array(startHook).max(MOST_HOOKS, tooMany),
    'Commands that run inside it once its ready checks pass. It is ready when the last one has ended.',
  ),
  preStop: optional(
    z.array(stopHook).max(MOST_HOOKS, tooMany),
    'Commands that run inside it before it is stopped or removed. If a command fails, a warning reports it, and the server is stopped all the same.',
  ),
}
