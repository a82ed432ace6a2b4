import { randomBytes } from 'node:crypto'
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ImageField } from '../config/image-fields.ts'
import { replaceText } from '../config/replace-text.ts'
import { findDigest, parseImageReference } from '../formats/image-reference.ts'
import { wordFileError } from '../formats/word-error.ts'
import { pullImages } from '../images/pull-image.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Tools } from '../tools.ts'

/** Result for a field that names an image. */
export type Pin = { readonly field: ImageField } & (
  | { readonly state: 'pinned' }
  /** `pinned` is the reference with its digest. By hand where the field stands in no text that can be changed. */
  | { readonly state: 'found' | 'byHand'; readonly pinned: string }
  /** The engine was not asked for its digest. */
  | { readonly state: 'unpinned' }
  /** The engine lacks it, and it was not to be pulled. */
  | { readonly state: 'absent' }
  /** The engine's image of that name came from no registry. */
  | { readonly state: 'local' }
)

/** Tells fields with a digest from those without. Asks no engine. */
export function checkPins(fields: readonly ImageField[]): readonly Pin[] {
  return fields.map((field) => ({ field, state: isPinned(field) ? 'pinned' : 'unpinned' }))
}

/**
 * Finds the digest of every image that has none written. What the engine lacks is pulled, as `up` would; without
 * `mayPull`, it stays absent. Fails with PULL_FAILED or IMAGE_NOT_FOUND.
 */
export async function findPins(
  fields: readonly ImageField[],
  { mayPull }: { readonly mayPull: boolean },
  tools: Tools,
): Promise<readonly Pin[]> {
  const { engine, onEvent, signal } = tools
  if (mayPull) {
    const missing = new Map<string, ImageField>()
    for (const field of fields) {
      if (isPinned(field) || missing.has(field.reference)) continue
      if ((await engine.inspectImage(field.reference, { signal })) === undefined) missing.set(field.reference, field)
    }
    const pulls = [...missing.values()].map((field) => ({ ...field, servers: [subjectOf(field)] }))
    await pullImages(pulls, engine, onEvent, { signal })
  }
  return Promise.all(fields.map((field) => findPin(field, tools)))
}

/** The server that an image is for, or `base`. */
function subjectOf({ path: [top, server] }: ImageField): string {
  return top === 'servers' ? String(server) : 'base'
}

async function findPin(field: ImageField, { engine, signal }: Tools): Promise<Pin> {
  if (isPinned(field)) return { field, state: 'pinned' }
  const image = await engine.inspectImage(field.reference, { signal })
  if (image === undefined) return { field, state: 'absent' }
  const digest = findDigest(field.reference, image.repositoryDigests)
  if (digest === undefined) return { field, state: 'local' }
  return { field, state: field.span === undefined ? 'byHand' : 'found', pinned: `${field.reference}@${digest}` }
}

function isPinned({ reference }: ImageField): boolean {
  return parseImageReference(reference).digest !== undefined
}

export interface FleetText {
  readonly path: string
  /** The path as messages show it. */
  readonly file: string
  /** Content of the file when its fields were read. */
  readonly text: string
}

/**
 * Writes the digests that were found into the fleet file, and changes nothing else in it. Fails with CONTEXT_CHANGED when
 * the file is no longer what was read, and with USAGE when it cannot be written.
 */
export async function writePins({ path, file, text }: FleetText, pins: readonly Pin[]): Promise<void> {
  const replacements = pins.flatMap((pin) =>
    pin.state === 'found' && pin.field.span !== undefined ? [{ span: pin.field.span, text: pin.pinned }] : [],
  )
  if (replacements.length === 0) return
  const before = await readFile(path, 'utf8')
  const mark = before.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  if (before !== mark + text) {
    throw new TestfleetError('CONTEXT_CHANGED', `${file} changed while images were asked for; nothing was written`, {
      hint: 'Run the command again.',
    })
  }
  await replaceFile(path, mark + replaceText(text, replacements), file)
}

const BYTE_ORDER_MARK = '\uFEFF'

/** Writes a new file next to it and renames that, so that there is never half a file. */
async function replaceFile(path: string, text: string, file: string): Promise<void> {
  try {
    // A link stays one.
    const target = await realpath(path)
    const { mode } = await stat(target)
    const beside = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}`)
    try {
      await writeFile(beside, text, { mode, flag: 'wx' })
      await rename(beside, target)
    } catch (error) {
      await rm(beside, { force: true }).catch(() => {})
      throw error
    }
  } catch (error) {
    throw new TestfleetError('USAGE', `${file} cannot be written: ${wordFileError(error)}`, { cause: error })
  }
}
