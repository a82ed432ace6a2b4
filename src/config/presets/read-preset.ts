import { readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { NAME } from '../../formats/grammar.ts'
import { presetFileSchema } from '../../model/preset-file.ts'
import { isFile } from '../is-file.ts'
import { findNearest } from '../nearest.ts'
import { parseFleetText } from '../parse-text.ts'
import { readText } from '../read-fleet.ts'
import { validateAgainst } from '../validate.ts'
import type { Preset } from './preset.ts'

/** What each preset's folder holds. */
const PRESET_FILE = 'preset.yaml'

/** Where presets are: those that testfleet brings along, and the fleet's folder for those of the user's own. */
export interface PresetFolders {
  readonly builtIn: string
  readonly fleet: string
}

/** Whether it names a folder beside the fleet file, and not one that testfleet brings along. */
export function isOwnPreset(name: string): boolean {
  return name.startsWith('./') || name.startsWith('../')
}

/** Undefined when there is none of that name. Fails with a `FleetFileError` for a preset that is wrong in itself. */
export async function readPreset(name: string, folders: PresetFolders): Promise<Preset | undefined> {
  const isBuiltIn = !isOwnPreset(name)
  if (isBuiltIn && !NAME.test(name)) return undefined
  const folder = isBuiltIn ? join(folders.builtIn, name) : resolve(folders.fleet, name)
  const path = join(folder, PRESET_FILE)
  if (!(await isFile(path))) return undefined
  const file = isBuiltIn ? `the preset ${name}` : relative(folders.fleet, path)
  const document = parseFleetText(await readText(path, file), file)
  const read = validateAgainst(presetFileSchema, document)
  return { ...read, name, path: folder, folder: isBuiltIn ? folder : name, isBuiltIn, document }
}

/** Its page of docs; empty where it has none. */
export async function readPage({ path }: Preset): Promise<string> {
  const page = join(path, 'README.md')
  return (await isFile(page)) ? readText(page, page) : ''
}

/** The names of the presets that testfleet brings along, in the order of the alphabet. */
export async function listPresetNames(builtIn: string): Promise<string[]> {
  const entries = await readdir(builtIn, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** What to say of a name that no preset has. */
export async function wordNoPreset(name: string, folders: PresetFolders): Promise<string> {
  if (isOwnPreset(name)) return `there is no ${PRESET_FILE} in ${name}`
  const nearest = findNearest(name, await listPresetNames(folders.builtIn))
  const guess = nearest === undefined ? '`testfleet presets` lists them' : `did you mean \`${nearest}\`?`
  return `there is no preset ${JSON.stringify(name)}; ${guess}`
}
