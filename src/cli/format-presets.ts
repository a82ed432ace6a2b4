import type { OptionDescription, PresetDescription } from '../config/describe-presets.ts'
import { formatTable } from './format-report.ts'

/** A line for each. */
export function formatPresets(presets: readonly PresetDescription[]): string {
  const rows = presets.map(({ name, description, ports }) => [name, ports.join(', '), description])
  return formatTable([['PRESET', 'PORTS', 'WHAT'], ...rows])
}

/** One of them: what it is, what it can be asked for, and how it is asked. */
export function formatPreset({ name, description, ports, options }: PresetDescription, page: string): string {
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
