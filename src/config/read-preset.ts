import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { readBytesInside, UnfitFile } from '../files/inside.ts'
import { NAME } from '../formats/grammar.ts'
import { isInside } from '../formats/paths.ts'
import { TestfleetError } from '../model/failures.ts'
import type { PresetFile } from '../model/preset-file.ts'
import { type FleetDocument, findNearest } from './document.ts'

/** A preset as it was read. */
export interface Preset extends PresetFile {
  /** As the fleet file names it. */
  readonly name: string
  /** What its own paths start from: absolute for those that testfleet brings along, else relative to the fleet file. */
  readonly folder: string
  /** Its folder, absolute. */
  readonly path: string
  /** The file of one of the user's own; mistakes that come of any other are told where it was asked for. */
  readonly document: FleetDocument | undefined
}

/** Where presets are: those that testfleet brings along, and the fleet's folder for those of the user's own. */
export interface PresetFolders {
  readonly builtIn: string
  readonly fleet: string
}

/** What each preset's folder holds. */
export const PRESET_FILE = 'preset.yaml'
/** What the build makes of it for those that testfleet brings along: validated, and read without a parser. */
export const COMPILED_PRESET_FILE = 'preset.json'

/** Whether it names a folder beside the fleet file, and not one that testfleet brings along. */
export function isOwnPreset(name: string): boolean {
  return name.startsWith('./') || name.startsWith('../')
}

/**
 * Whether a preset of the user's own seems to be in the fleet's folder and is not. A link there is the repository's word; a
 * name that leads out of the folder is the word of the one who types it.
 */
export function isHiddenElsewhere(name: string, { fleet }: PresetFolders): boolean {
  const path = resolve(fleet, name)
  return isInside(path, fleet) && existsSync(path) && !isInside(realpathSync.native(path), realpathSync.native(fleet))
}

/**
 * Undefined when there is none of that name. Fails with FLEET_FILE_INVALID for a preset that is wrong in itself, or whose
 * file is not in its folder.
 */
export async function readPreset(name: string, folders: PresetFolders): Promise<Preset | undefined> {
  if (isOwnPreset(name)) {
    const path = resolve(folders.fleet, name)
    const file = relative(folders.fleet, join(path, PRESET_FILE))
    const read = await readWritten(path, file)
    return read && { ...read.preset, name, path, folder: name, document: read.document }
  }
  if (!NAME.test(name)) return undefined
  const path = join(folders.builtIn, name)
  const compiled = readIfThere(join(path, COMPILED_PRESET_FILE))
  const preset =
    compiled === undefined
      ? (await readWritten(path, `the preset ${name}`))?.preset
      : (JSON.parse(compiled) as PresetFile)
  return preset && { ...preset, name, path, folder: path, document: undefined }
}

async function readWritten(
  path: string,
  file: string,
): Promise<{ readonly preset: PresetFile; readonly document: FleetDocument } | undefined> {
  const source = join(path, PRESET_FILE)
  if (!existsSync(source)) return undefined
  const [{ parseYaml, readText }, { validatePreset }] = await Promise.all([
    import('./read-yaml.ts'),
    import('./explain-mistakes.ts'),
  ])
  const document = parseYaml(await readText(source, file, path), file)
  return { preset: validatePreset(document), document }
}

const PAGE_FILE = 'README.md'
const MAX_PAGE_BYTES = 1024 * 1024

/** Its page of docs; empty where it has none. Fails with FLEET_FILE_INVALID for one that is not a file in its folder. */
export async function readPage({ path, name, document }: Preset): Promise<string> {
  const page = join(path, PAGE_FILE)
  if (document === undefined) return readIfThere(page) ?? ''
  try {
    return (await readBytesInside(page, path, MAX_PAGE_BYTES)).toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    if (!(error instanceof UnfitFile)) throw error
    throw new TestfleetError('FLEET_FILE_INVALID', `${join(name, PAGE_FILE)} ${error.message}`)
  }
}

/** Waits for the disk: to have a thread read one of these small files takes longer. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** The names of the presets that testfleet brings along, in the order of the alphabet. */
export async function listPresetNames(builtIn: string): Promise<string[]> {
  const entries = await readdir(builtIn, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** The presets of the catalogue that have this for another word, in the order of the alphabet. */
export async function listPresetsFor(word: string, { builtIn }: PresetFolders): Promise<string[]> {
  if (isOwnPreset(word)) return []
  const names = await listPresetNames(builtIn)
  const presets = await Promise.all(names.map((name) => readPreset(name, { builtIn, fleet: builtIn })))
  return presets.flatMap((preset) => (preset?.synonyms?.includes(word.toLowerCase()) ? [preset.name] : []))
}

/** What to say of a name that no preset has. */
export async function wordNoPreset(name: string, folders: PresetFolders): Promise<string> {
  if (isOwnPreset(name)) return `there is no ${PRESET_FILE} in ${name}`
  const meant = await listPresetsFor(name, folders)
  const nearest = findNearest(name, await listPresetNames(folders.builtIn))
  const guesses = meant.length > 0 || nearest === undefined ? meant : [nearest]
  const list = guesses.map((guess) => `\`${guess}\``).join(' or ')
  const guess = guesses.length === 0 ? '`testfleet presets` lists them' : `did you mean ${list}?`
  return `there is no preset ${JSON.stringify(name)}; ${guess}`
}
