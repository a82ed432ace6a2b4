import * as z from 'zod'
import { startHook } from './fleet-file-hooks.ts'
import { optional } from './fleet-file-protocols.ts'
import { MOST_HOOKS } from './hook.ts'

const commands = z.array(startHook).max(MOST_HOOKS, `must be at most ${MOST_HOOKS} commands; put more into a script`)

const keys = z.strictObject({
  run: optional(
    commands,
    'Commands that run inside the server once it is ready, such as those that load test data. What they change is in the image.',
  ),
  readsSecrets: optional(
    z.boolean(),
    'Says that the server takes its secrets from their files or variables at every start. It is required for secrets that are not those of a preset, because a baked image has been made with other ones.',
  ),
})

/** The key of a server by which it starts from an image of its own ready state. */
export const bakeKey = {
  bake: optional(
    z.union([z.boolean(), commands, keys]),
    'Starts it from a saved image of its ready state: the server is started once with throw-away secrets, these commands run in it, it is stopped, and its files are saved. Later starts skip its initialisation.',
  ),
}
