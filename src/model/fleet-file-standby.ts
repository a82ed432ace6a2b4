import * as z from 'zod'
import { DURATION } from '../formats/duration.ts'
import { SIZE } from '../formats/size.ts'
import { optional } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'
import { MOST_STANDBY } from './standby.ts'

/** How many copies of the whole fleet are held ready. */

const size = z.int().min(1, `must be from 1 to ${MOST_STANDBY}`).max(MOST_STANDBY, `must be from 1 to ${MOST_STANDBY}`)

const idle = z.union([
  z.number().refine(rules.isIdleTime, 'must be from 1s to 24h'),
  z
    .string()
    .regex(DURATION, { error: 'must be a time such as 90s, 30m or 2h', abort: true })
    .refine(rules.isIdleTime, 'must be from 1s to 24h'),
])

const memory = z.union([
  z.int().positive(),
  z
    .string()
    .regex(SIZE, { error: 'must be a size such as 512m or 2g', abort: true })
    .refine(rules.isSize, 'must be a size of at least one byte and at most 8192t'),
])

export const standbyKey = optional(
  z.union([
    size,
    z.strictObject({
      size: size.describe('How many copies are held ready.'),
      idle: optional(idle, 'The copies are removed when none was taken for this long, from 1s to 24h. Default: 30m.'),
      memory: optional(
        memory,
        "Most memory that all copies use together, such as 2g. Default: half of the engine's memory.",
      ),
    }),
  ]),
  'How many ready, paused copies of the whole fleet are held for `run` and `startFleet`, which then start at once. A number, or keys.',
)
