import { dirname } from 'node:path'
import { describePreset, describePresets } from '../../config/describe-presets.ts'
import { locateFleetFile } from '../../config/locate-fleet-file.ts'
import {
  isHiddenElsewhere,
  isOwnPreset,
  listPresetsFor,
  type PresetFolders,
  readPage,
  readPreset,
  wordNoPreset,
} from '../../config/read-preset.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { Host } from '../../model/host.ts'
import { hostOf } from '../call.ts'
import { checkOptions, wrong } from '../check-options.ts'
import type { TestfleetOptions } from '../types/options.ts'
import type { PresetDetails, PresetSummary } from '../types/presets.ts'

export function listPresets(client: TestfleetOptions): Promise<readonly PresetSummary[]> {
  return describePresets(hostOf(client).presetsFolder)
}

/** Returns the preset of that name, or else the presets that have it as a synonym. */
export async function findPresets(
  client: TestfleetOptions,
  name: string,
  file: string | undefined,
): Promise<readonly PresetDetails[]> {
  if (typeof name !== 'string') throw wrong('the name of a preset is', 'a string', name)
  checkOptions({ file })
  const host = hostOf(client)
  const builtIn = host.presetsFolder
  const folders = { builtIn, fleet: isOwnPreset(name) ? await findFolder(file, host) : builtIn }
  if (isOwnPreset(name) && isHiddenElsewhere(name, folders))
    throw new TestfleetError('FLEET_FILE_INVALID', `${name} is a link that leads out of the fleet's folder`)
  const preset = await readPreset(name, folders)
  const presets = preset === undefined ? await findByWord(name, folders) : [preset]
  return Promise.all(
    presets.map(async (one) => ({ ...describePreset(one), page: await readPage(one), server: one.server })),
  )
}

async function findByWord(word: string, folders: PresetFolders) {
  const names = await listPresetsFor(word, folders)
  const found = (await Promise.all(names.map((name) => readPreset(name, folders)))).filter((one) => one !== undefined)
  if (found.length > 0) return found
  throw new TestfleetError('USAGE', await wordNoPreset(word, folders))
}

/** Paths of your own presets start at the fleet file or, without one, at the working folder. */
async function findFolder(file: string | undefined, host: Host): Promise<string> {
  try {
    return dirname((await locateFleetFile(file, host)).path)
  } catch (error) {
    if (file === undefined && isFailure(error, 'FLEET_FILE_NOT_FOUND')) return host.workingFolder
    throw error
  }
}
