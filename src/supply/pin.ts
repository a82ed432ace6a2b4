import { readFile, realpath, stat, writeFile } from 'node:fs/promises'
import type { ImageField, ImageFields } from '../config/image-fields.ts'
import { replaceText } from '../config/replace-text.ts'
import { requireWritableFolder } from '../files/output-file.ts'
import { replaceFile } from '../files/replace-file.ts'
import { findDigest, parseImageReference } from '../formats/image-reference.ts'
import { wordFileError } from '../formats/word-error.ts'
import { pullImages } from '../images/pull-image.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Tools } from '../tools.ts'

/** Result for a field that names an image. */
export type Pin = { readonly field: ImageField } & (
  | { readonly state: 'pinned' }
  /** `pinned` is the reference with its digest. `byHand` is set if testfleet cannot change the field's text. */
  | { readonly state: 'found' | 'byHand'; readonly pinned: string }
  /** The engine was not asked for its digest. */
  | { readonly state: 'unpinned' }
  /** The engine lacks it, and pulling was not allowed. */
  | { readonly state: 'absent' }
  /** The engine's image of that name came from no registry. */
  | { readonly state: 'local' }
)

/** Separates fields with a digest from those without. Sends no request to the engine. */
export function checkPins(fields: readonly ImageField[]): readonly Pin[] {
  return fields.map((field) => ({ field, state: isPinned(field) ? 'pinned' : 'unpinned' }))
}

/**
 * Finds the digest of every image that is written without one. Images that the engine lacks are pulled, as by `up`;
 * without `mayPull`, they are reported as absent. Fails with PULL_FAILED or IMAGE_NOT_FOUND.
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

/** Fails with USAGE if the digests cannot be written into the fleet file. Called before images are asked for. */
export async function requireWritableFile({ path, file, text }: ImageFields): Promise<void> {
  if (text === undefined) return
  await realpath(path)
    .then(requireWritableFolder)
    .catch((error: unknown) => {
      throw notWritable(file, error)
    })
}

function notWritable(file: string, error: unknown): TestfleetError {
  return new TestfleetError('USAGE', `${file} cannot be written: ${wordFileError(error)}`, { cause: error })
}

/**
 * Writes the digests into the fleet file and changes nothing else in it. Fails with CONTEXT_CHANGED if the file has
 * changed since it was read, and with USAGE if it cannot be written.
 */
export async function writePins({ path, file, text }: ImageFields, pins: readonly Pin[]): Promise<void> {
  const replacements = pins.flatMap((pin) =>
    pin.state === 'found' && pin.field.span !== undefined ? [{ span: pin.field.span, text: pin.pinned }] : [],
  )
  if (text === undefined || replacements.length === 0) return
  const before = await readFile(path, 'utf8')
  const mark = before.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
  if (before !== mark + text) {
    throw new TestfleetError('CONTEXT_CHANGED', `${file} changed while images were asked for; nothing was written`, {
      hint: 'Run the command again.',
    })
  }
  try {
    // Follows a link to the file, so that the link is kept.
    const target = await realpath(path)
    const { mode } = await stat(target)
    const content = mark + replaceText(text, replacements)
    await replaceFile(target, (beside) => writeFile(beside, content, { mode, flag: 'wx' }))
  } catch (error) {
    throw notWritable(file, error)
  }
}

const BYTE_ORDER_MARK = '\uFEFF'
