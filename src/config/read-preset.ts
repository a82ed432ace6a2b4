import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { readBytesInside, UnfitFile } from '../files/inside.ts'
import { NAME } from '../formats/grammar.ts'
import { findNearest } from '../formats/nearest.ts'
import { isInside } from '../formats/paths.ts'
import { TestfleetError } from '../model/failures.ts'
import type { PresetFile } from '../model/preset-file.ts'
import { say } from '../model/surface.ts'
import type { FleetDocument } from './document.ts'

/** A preset as it was read. */
export interface Preset extends PresetFile {
  /** As the fleet file names it. */
  readonly name: string
  /** Start of its own paths: absolute for testfleet's presets, else relative to the fleet file. */
  readonly folder: string
  /** Its folder, absolute. */
  readonly path: string
  /** File of the user's own preset. Mistakes in any other preset are reported at the fleet file's `preset`. */
  readonly document: FleetDocument | undefined
}

/** Folders of presets: testfleet's own, and the fleet's folder for the user's own. */
export interface PresetFolders {
  readonly builtIn: string
  readonly fleet: string
}

/** Files of each preset's folder. */
export const PRESET_FILE = 'preset.yaml'
/** Compiled by the build for testfleet's presets: validated, and read without a parser. */
export const COMPILED_PRESET_FILE = 'preset.json'

/** Returns whether it names a folder next to the fleet file instead of a preset of testfleet. */
export function isOwnPreset(name: string): boolean {
  return name.startsWith('./') || name.startsWith('../')
}

/**
 * Returns whether the user's own preset appears to be in the fleet's folder and is not. A link there was made by the
 * repository, while a name that leads out of the folder was chosen by the author of the fleet file.
 */
export function isHiddenElsewhere(name: string, { fleet }: PresetFolders): boolean {
  const path = resolve(fleet, name)
  return isInside(path, fleet) && existsSync(path) && !isInside(realpathSync.native(path), realpathSync.native(fleet))
}

/**
 * Reads a preset; undefined if there is none with that name. Fails with FLEET_FILE_INVALID for a preset that is invalid,
 * or whose file is not in its folder.
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

/** Returns its page of docs, or an empty text. FLEET_FILE_INVALID if the page is not a file in its folder. */
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

/** Blocks on the disk: reading one of these small files in a thread takes longer. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** Returns the names of testfleet's presets, in alphabetical order. */
export async function listPresetNames(builtIn: string): Promise<string[]> {
  const entries = await readdir(builtIn, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** Returns the catalogue's presets that have this synonym, in alphabetical order. */
export async function listPresetsFor(word: string, { builtIn }: PresetFolders): Promise<string[]> {
  if (isOwnPreset(word)) return []
  return (await listSynonyms(builtIn)).get(word.toLowerCase()) ?? []
}

/** For each synonym, the presets of the catalogue that have it. */
async function listSynonyms(builtIn: string): Promise<Map<string, string[]>> {
  const names = await listPresetNames(builtIn)
  const presets = await Promise.all(names.map((name) => readPreset(name, { builtIn, fleet: builtIn })))
  const synonyms = new Map<string, string[]>()
  for (const preset of presets)
    for (const word of preset?.synonyms ?? [])
      synonyms.set(word, [...(synonyms.get(word) ?? []), ...(preset === undefined ? [] : [preset.name])])
  return synonyms
}

/** Words the message about a name that no preset has. */
export async function wordNoPreset(name: string, folders: PresetFolders): Promise<string> {
  if (isOwnPreset(name)) return `there is no ${PRESET_FILE} in ${name}`
  const synonyms = await listSynonyms(folders.builtIn)
  const nearest = findNearest(name, [...(await listPresetNames(folders.builtIn)), ...synonyms.keys()])
  const guesses =
    synonyms.get(name.toLowerCase()) ?? (nearest === undefined ? [] : (synonyms.get(nearest) ?? [nearest]))
  const list = guesses.map((guess) => `\`${guess}\``).join(' or ')
  const guess = guesses.length === 0 ? `${say('presets')} lists them` : `did you mean ${list}?`
  return `there is no preset ${JSON.stringify(name)}; ${guess}`
}
