import { dirname } from 'node:path'
import { describePreset, describePresets } from '../config/describe-presets.ts'
import { locateFleetFile } from '../config/locate-fleet-file.ts'
import { readPage, readPreset, wordNoPreset } from '../config/read-preset.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import { formatPreset, formatPresets } from './format-presets.ts'
import { writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const folders = { builtIn: call.host.presetsFolder, fleet: await findFolder(call) }
  const [name] = call.servers
  if (name === undefined) {
    const presets = await describePresets(folders)
    if (call.json) writeJson(call, { presets })
    else call.output.write(formatPresets(presets))
    return 0
  }
  const preset = await readPreset(name, folders)
  if (preset === undefined) {
    throw new TestfleetError('USAGE', await wordNoPreset(name, folders), { hint: '`testfleet presets` lists them.' })
  }
  const page = await readPage(preset)
  if (call.json) writeJson(call, { ...describePreset(preset), page, server: preset.server })
  else call.output.write(formatPreset(describePreset(preset), page))
  return 0
}

/** Presets of the user's own are named from the fleet file; without one, from here. */
async function findFolder({ host, file }: Call): Promise<string> {
  if (file !== undefined) return dirname((await locateFleetFile(file, host)).path)
  return locateFleetFile(undefined, host).then(
    ({ path }) => dirname(path),
    () => host.workingFolder,
  )
}
