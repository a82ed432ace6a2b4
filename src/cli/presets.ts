import { dirname } from 'node:path'
import {
  describePreset,
  describePresets,
  type OptionDescription,
  type PresetDescription,
} from '../config/describe-presets.ts'
import { locateFleetFile } from '../config/load-fleet.ts'
import { isHiddenElsewhere, isOwnPreset, readPage, readPreset, wordNoPreset } from '../config/read-preset.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { answer, formatTable } from './answer.ts'
import type { Call } from './call.ts'

export async function run(call: Call): Promise<number> {
  const builtIn = call.host.presetsFolder
  const [name] = call.servers
  if (name === undefined) {
    const presets = await describePresets(builtIn)
    const rows = presets.map(({ name, description, ports }) => [name, ports.join(', '), description])
    return answer(call, { presets }, formatTable([['PRESET', 'PORTS', 'WHAT'], ...rows]))
  }
  const folders = { builtIn, fleet: isOwnPreset(name) ? await findFolder(call) : builtIn }
  if (isOwnPreset(name) && isHiddenElsewhere(name, folders))
    throw new TestfleetError('FLEET_FILE_INVALID', `${name} is a link that leads out of the fleet's folder`)
  const preset = await readPreset(name, folders)
  if (preset === undefined) {
    throw new TestfleetError('USAGE', await wordNoPreset(name, folders), { hint: '`testfleet presets` lists them.' })
  }
  const page = await readPage(preset)
  const description = describePreset(preset)
  return answer(call, { ...description, page, server: preset.server }, formatPreset(description, page))
}

/** Presets of the user's own are named from the fleet file; without one, from here. */
async function findFolder({ host, file }: Call): Promise<string> {
  if (file !== undefined) return dirname((await locateFleetFile(file, host)).path)
  try {
    return dirname((await locateFleetFile(undefined, host)).path)
  } catch (error) {
    if (isFailure(error, 'FLEET_FILE_NOT_FOUND')) return host.workingFolder
    throw error
  }
}

/** What a preset is, its options, and how a fleet file asks for it. */
function formatPreset({ name, description, ports, options }: PresetDescription, page: string): string {
  const lines = [
    `${name}: ${description}`,
    `ports: ${ports.join(', ') || 'none'}`,
    '',
    'servers:',
    `  ${name.replace(/^.*\//, '')}:`,
    `    preset: ${name}`,
    ...(options.length === 0 ? [] : ['    options:', ...options.flatMap(formatOption)]),
  ]
  if (page !== '') lines.push('', page.trim())
  return `${lines.join('\n')}\n`
}

function formatOption(option: OptionDescription): string[] {
  const { name, type, takes, default: value, description } = option
  const word =
    { list: 'a list of texts', secret: 'a secret', users: 'names, each with a secret' }[type as string] ?? type
  const range = takes === undefined ? '' : `: ${takes}`
  const otherwise = value === undefined ? '' : `; default ${typeof value === 'string' ? value : JSON.stringify(value)}`
  return [`      ${name}: (${word}${range}${otherwise})`, `        ${description}`]
}
