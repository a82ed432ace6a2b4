import * as z from 'zod'
import { isUnicodePattern, NAME } from '../formats/grammar.ts'
import { isContainerPath } from '../formats/paths.ts'

/**
 * The one schema of `preset.yaml`: what a preset says of itself, what it can be asked for, and the server that it is. The
 * server is a fleet file's, in which `{ option: NAME }` and `{ if: NAME, then: …, else: … }` stand for what was asked for.
 */

const describe = z.string().min(1).max(300)
const pattern = z
  .string()
  .max(1000)
  .refine(isUnicodePattern, 'must be a regular expression')
  .optional()
  .describe('Pattern that the whole text must match.')
/** The pattern in words, so that a mistake gives a reason. */
const form = z.string().min(1).max(200).optional().describe('The pattern in words. They follow "must be" in messages.')
const reserved = z
  .strictObject({ names: z.array(z.string()).min(1), reason: z.string().min(1).max(200) })
  .optional()
  .describe('Names that match the pattern and cannot be used, each with the reason.')
const needs = z
  .string()
  .optional()
  .describe('Another option that this one requires. Without it, this option would have no effect and is an error.')
const secretOrigin = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

const kinds = {
  text: { default: z.string().optional(), pattern, form, reserved, values: z.array(z.string()).min(1).optional() },
  number: { default: z.number().optional(), min: z.number().optional(), max: z.number().optional() },
  boolean: { default: z.boolean().optional() },
  list: { default: z.array(z.string()).optional(), pattern, form, reserved },
  /** A file or folder next to the fleet file. */
  path: { kind: z.enum(['file', 'folder']).optional().describe('Whether it must be a file or a folder.') },
  /** `{ env }`, `{ file }` or `{ generate }`, as in `secrets`. */
  secret: { default: secretOrigin.optional() },
  /** Names, each with its password as a secret. */
  users: { default: z.record(z.string(), secretOrigin).optional(), pattern, form, reserved },
} as const

const option = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), describe, needs, ...kinds.text }),
  z.strictObject({ type: z.literal('number'), describe, needs, ...kinds.number }),
  z.strictObject({ type: z.literal('boolean'), describe, needs, ...kinds.boolean }),
  z.strictObject({ type: z.literal('list'), describe, needs, ...kinds.list }),
  z.strictObject({ type: z.literal('path'), describe, needs, ...kinds.path }),
  z.strictObject({ type: z.literal('secret'), describe, needs, ...kinds.secret }),
  z.strictObject({ type: z.literal('users'), describe, needs, ...kinds.users }),
])

const containerPath = z.string().max(200).refine(isContainerPath, 'must be an absolute path inside the server')

export const presetFileSchema = z.strictObject({
  description: z.string().min(1).max(120).describe('What the server is, in one line.'),
  options: z
    .record(z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/, 'must be a name in camelCase'), option)
    .optional()
    .describe('Options of the preset.'),
  synonyms: z
    .array(z.string().regex(NAME, 'must be a name of lower-case letters, digits and hyphens'))
    .max(20)
    .optional()
    .describe('Other words by which people search for it.'),
  configuration: z
    .strictObject({
      under: z.array(containerPath).min(1).max(20),
      reads: z.array(containerPath).max(50).optional(),
    })
    .optional()
    .describe(
      'Files and folders that hold the configuration of the server. A file that the fleet file puts there must be one of the preset, or one that the server also reads; `*` in its name stands for any text.',
    ),
  server: z.record(z.string(), z.unknown()).describe('The server, as in `servers` of a fleet file.'),
})

export type PresetFile = z.output<typeof presetFileSchema>
export type PresetOption = z.output<typeof option>
