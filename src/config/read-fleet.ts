import { open } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { NAME } from '../formats/grammar.ts'
import { showPath } from '../formats/paths.ts'
import { wordFileError } from '../formats/word-error.ts'
import type { Host } from '../model/host.ts'
import type { FleetDocument } from './document.ts'
import { findFleetFile } from './find-fleet-file.ts'
import { defaultFleetName } from './fleet-name.ts'
import { describeObject, loadFleetModule } from './load-module.ts'
import { parseFleetText, wholeFileError } from './parse-text.ts'

/** A fleet is written by a person: a larger file is a mistake, or an attempt to fill the memory. */
const MAX_FILE_BYTES = 1024 * 1024

/** Where a fleet comes from: a file (undefined: the nearest one), or an object with the folder that its paths start from. */
export type FleetOrigin =
  | { readonly kind: 'file'; readonly named: string | undefined }
  | { readonly kind: 'object'; readonly value: unknown; readonly folder: string }

/** The fleet's name alone, for calls that must work even when the rest of the file is wrong. A wrong name is not guessed at. */
export async function loadFleetName(named: string | undefined, host: Host): Promise<string> {
  const { document, folder } = await readFleet({ kind: 'file', named }, host)
  const name = (document.value as { name?: unknown } | null)?.name
  if (name === undefined) return defaultFleetName(folder)
  if (typeof name === 'string' && NAME.test(name)) return name
  // Rare, and the validator is slow to load.
  const { validateDocument } = await import('./validate.ts')
  return validateDocument(document).name ?? defaultFleetName(folder)
}

export interface ReadFleet {
  readonly document: FleetDocument
  readonly file: string
  readonly folder: string
}

/** The fleet as plain values, with where each of them stands. */
export async function readFleet(origin: FleetOrigin, host: Host): Promise<ReadFleet> {
  if (origin.kind === 'object') {
    const file = 'the fleet'
    return { document: describeObject(origin.value, file), file, folder: resolve(host.workingFolder, origin.folder) }
  }
  const path = await findFleetFile(host.workingFolder, origin.named)
  const file = showPath(path, host.workingFolder)
  const folder = dirname(path)
  const document = isTextFile(path)
    ? parseFleetText(await readText(path, file), file)
    : await loadFleetModule(path, file)
  return { document, file, folder }
}

/** Whether a fleet file is data, and not a module. */
export function isTextFile(path: string): boolean {
  return ['.yaml', '.yml', '.json'].includes(extname(path))
}

/** The text of a fleet file, without a byte order mark. Fails with a `FleetFileError`. */
export async function readText(path: string, file: string): Promise<string> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw wholeFileError(file, `cannot be read: ${wordFileError(error)}`)
  })
  try {
    const { size } = await handle.stat()
    if (size > MAX_FILE_BYTES)
      throw wholeFileError(file, `has ${size} bytes; a fleet file has at most ${MAX_FILE_BYTES}`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile())
  } catch (error) {
    if (error instanceof TypeError) throw wholeFileError(file, 'is not text in UTF-8')
    throw error
  } finally {
    await handle.close()
  }
}
