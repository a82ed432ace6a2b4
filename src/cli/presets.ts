import type { PresetDetails, PresetOption, PresetSummary } from '../api/types/presets.ts'
import { answer, formatTable } from './answer.ts'
import { type Call, clientOf } from './call.ts'

export async function run(call: Call): Promise<number> {
  const client = clientOf(call)
  const [name] = call.servers
  if (name === undefined) return answerAll(call, await client.presets())
  const presets = await client.presets(name, { file: call.file })
  const [preset] = presets
  if (presets.length > 1 || preset === undefined) return answerAll(call, presets)
  return answer(call, preset, formatPreset(preset))
}

function answerAll(call: Call, presets: readonly PresetSummary[]): number {
  return answer(call, { presets }, formatPresets(presets))
}

function formatPresets(presets: readonly PresetSummary[]): string {
  const rows = presets.map(({ name, description, ports }) => [name, ports.join(', '), description])
  return formatTable([['PRESET', 'PORTS', 'WHAT'], ...rows])
}

/** What a preset is, its options, how a fleet file asks for it, and what keys of the fleet file replace. */
function formatPreset(preset: PresetDetails): string {
  const { name, description, ports, options, exports, synonyms, page } = preset
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

function formatReplaced({ command, user, ports, limits, files }: PresetSummary): string[] {
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

function formatOption(option: PresetOption): string[] {
  const { name, type, takes, default: value, description } = option
  const word =
    { list: 'a list of text', secret: 'a secret', users: 'names, each with a secret' }[type as string] ?? type
  const range = takes === undefined ? '' : `: ${takes}`
  const otherwise = value === undefined ? '' : `; default ${typeof value === 'string' ? value : JSON.stringify(value)}`
  return [`      ${name}: (${word}${range}${otherwise})`, `        ${description}`]
}
