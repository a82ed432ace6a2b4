import { dirname } from 'node:path'
import {
  describePreset,
  describePresets,
  type OptionDescription,
  type PresetDescription,
} from '../config/describe-presets.ts'
import { locateFleetFile } from '../config/load-fleet.ts'
import {
  isHiddenElsewhere,
  isOwnPreset,
  listPresetsFor,
  type Preset,
  type PresetFolders,
  readPage,
  readPreset,
  wordNoPreset,
} from '../config/read-preset.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { answer, formatTable } from './answer.ts'
import type { Call } from './call.ts'

export async function run(call: Call): Promise<number> {
  const builtIn = call.host.presetsFolder
  const [name] = call.servers
  if (name === undefined) {
    const presets = await describePresets(builtIn)
    return answer(call, { presets }, formatPresets(presets))
  }
  const folders = { builtIn, fleet: isOwnPreset(name) ? await findFolder(call) : builtIn }
  if (isOwnPreset(name) && isHiddenElsewhere(name, folders))
    throw new TestfleetError('FLEET_FILE_INVALID', `${name} is a link that leads out of the fleet's folder`)
  const preset = (await readPreset(name, folders)) ?? (await findByWord(name, folders))
  if (Array.isArray(preset)) return answer(call, { presets: preset }, formatPresets(preset))
  const page = await readPage(preset)
  const description = describePreset(preset)
  return answer(call, { ...description, page, server: preset.server }, formatPreset(description, page))
}

/** The preset that has this for a synonym, or the descriptions of several. Fails with USAGE. */
async function findByWord(word: string, folders: PresetFolders): Promise<Preset | PresetDescription[]> {
  const names = await listPresetsFor(word, folders)
  const presets = (await Promise.all(names.map((name) => readPreset(name, folders)))).filter((one) => one !== undefined)
  if (presets.length > 1) return presets.map(describePreset)
  if (presets[0] !== undefined) return presets[0]
  throw new TestfleetError('USAGE', await wordNoPreset(word, folders))
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

function formatPresets(presets: readonly PresetDescription[]): string {
  const rows = presets.map(({ name, description, ports }) => [name, ports.join(', '), description])
  return formatTable([['PRESET', 'PORTS', 'WHAT'], ...rows])
}

/** What a preset is, its options, how a fleet file asks for it, and what keys of the fleet file replace. */
function formatPreset(preset: PresetDescription, page: string): string {
  const { name, description, ports, options, exports, synonyms } = preset
  const lines = [
    `${name}: ${description}`,
    `ports: ${ports.join(', ') || 'none'}`,
    ...(synonyms.length === 0 ? [] : [`also found as: ${synonyms.join(', ')}`]),
    '',
    'servers:',
    `  ${name.replace(/^.*\//, '')}:`,
    `    preset: ${name}`,
    ...(options.length === 0 ? [] : ['    options:', ...options.flatMap(formatOption)]),
    '',
    'What the keys of a fleet file replace:',
    ...formatReplaced(preset),
  ]
  const table = formatTable(exports.map(({ name, example }) => [name, example]))
  if (exports.length > 0) lines.push('', 'Variables for tests:', table.trimEnd())
  if (page !== '') lines.push('', page.trim())
  return `${lines.join('\n')}\n`
}

function formatReplaced({ command, user, ports, limits, files }: PresetDescription): string[] {
  const rows: readonly (readonly [key: string, value: string])[] = [
    ['command', command.length === 0 ? '' : `[${command.join(', ')}]`],
    ['user', user ?? ''],
    ['ports', `[${ports.join(', ')}]`],
    [
      'limits',
      Object.entries(limits)
        .map(([key, limit]) => `${key} ${limit}`)
        .join(', '),
    ],
    ['build.copy, mounts', files.join('\n')],
  ]
  return formatRows(rows.filter(([, value]) => value !== ''))
}

/** A value with several lines goes on below itself. */
function formatRows(rows: readonly (readonly [key: string, value: string])[]): string[] {
  const cells = rows.flatMap(([key, value]) => value.split('\n').map((line, index) => [index === 0 ? key : '', line]))
  return formatTable(cells).trimEnd().split('\n')
}

function formatOption(option: OptionDescription): string[] {
  const { name, type, takes, default: value, description } = option
  const word =
    { list: 'a list of texts', secret: 'a secret', users: 'names, each with a secret' }[type as string] ?? type
  const range = takes === undefined ? '' : `: ${takes}`
  const otherwise = value === undefined ? '' : `; default ${typeof value === 'string' ? value : JSON.stringify(value)}`
  return [`      ${name}: (${word}${range}${otherwise})`, `        ${description}`]
}
