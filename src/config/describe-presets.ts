import { isBlock } from '../formats/block.ts'
import type { PresetOption } from '../model/preset-file.ts'
import { fillPreset } from './fill-preset.ts'
import { branchesOf, listPublicFiles } from './public-files.ts'
import { listPresetNames, type Preset, readPreset } from './read-preset.ts'
import { defaultsOf, type OptionValues } from './take-options.ts'

/** A preset as `testfleet presets` and the docs show it. */
export interface PresetDescription {
  readonly name: string
  readonly description: string
  /** As the fleet file writes them, such as 80 or `53/udp`. */
  readonly ports: readonly (number | string)[]
  readonly options: readonly OptionDescription[]
  /** Defaults that keys of the same name replace, without options. */
  readonly command: readonly string[]
  readonly user: string | undefined
  readonly limits: Readonly<Record<string, unknown>>
  /** Files of its image that a fleet file can replace or add under the same name. */
  readonly files: readonly string[]
  readonly exports: readonly ExportDescription[]
  readonly synonyms: readonly string[]
}

export interface ExportDescription {
  readonly name: string
  /** With `…` for a secret, and an example for a published port. */
  readonly example: string
}

export interface OptionDescription {
  readonly name: string
  readonly type: PresetOption['type']
  readonly default: unknown
  /** Accepted values, if the type does not say it: words, the meaning of its pattern, a range. */
  readonly takes: string | undefined
  readonly description: string
}

/** Every preset of testfleet, in alphabetical order. */
export async function describePresets(builtIn: string): Promise<PresetDescription[]> {
  const names = await listPresetNames(builtIn)
  const presets = await Promise.all(names.map((name) => readPreset(name, { builtIn, fleet: builtIn })))
  return presets.filter((preset) => preset !== undefined).map(describePreset)
}

export function describePreset(preset: Preset): PresetDescription {
  const { name, description, server, options = {} } = preset
  const defaults = defaultsOf(preset)
  const filled = fillPreset(preset, defaults)
  return {
    name,
    description,
    ports: portsOf(server.ports, defaults),
    command: Array.isArray(filled.command) ? filled.command.map(String) : [],
    user: typeof filled.user === 'string' ? filled.user : undefined,
    limits: isBlock(filled.limits) ? filled.limits : {},
    files: listPublicFiles(preset),
    exports: describeExports(preset),
    synonyms: preset.synonyms ?? [],
    options: Object.entries(options).map(([key, option]) => ({
      name: key,
      type: option.type,
      default: 'default' in option ? option.default : undefined,
      takes: wordTakes(option),
      description: option.describe,
    })),
  }
}

/** Variables that it exports to tests, including those that an option adds. */
function describeExports(preset: Preset): ExportDescription[] {
  const exported = isBlock(preset.server.export) ? preset.server.export : {}
  const options = defaultsOf(preset)
  const database = nameDatabase(preset.server.database, options)
  const ports = new Map<string, number>()
  const publish = (port: string): number => {
    const published = ports.get(port) ?? FIRST_FREE_PORT + ports.size
    ports.set(port, published)
    return published
  }
  return Object.entries(exported).flatMap(([name, value]) => {
    const [template] = branchesOf([value]).filter((one) => typeof one === 'string')
    return template === undefined ? [] : [{ name, example: fillExample(template, { options, database, publish }) }]
  })
}

/** A number that an engine may choose for a published port; as an example only. */
const FIRST_FREE_PORT = 49_153

/** Values as a command with the servers' names gets them. */
function fillEndpoint(key: string): string {
  const [, part, port = ''] = /^(?:(host|port)\.)?(\d+)/.exec(key) ?? []
  if (part === 'port') return port
  return part === 'host' ? '<server>.<domain>' : `<server>.<domain>:${port}`
}

interface ExampleValues {
  readonly options: OptionValues
  readonly database: string
  readonly publish: (port: string) => number
}

/** Name of the server's own database. */
function nameDatabase(recipe: unknown, options: OptionValues): string {
  const name = isBlock(recipe) ? recipe.name : undefined
  return String((isBlock(name) ? options.get(String(name.option)) : name) ?? '…')
}

function fillExample(template: string, { options, database, publish }: ExampleValues): string {
  return template.replaceAll(/\$\{(\w+)(?:\.([^}]+))?\}/g, (_, kind: string, key = '') => {
    if (kind === 'host') return '127.0.0.1'
    if (kind === 'hostname') return '<server>.<domain>'
    if (kind === 'database') return database
    if (kind === 'endpoint') return fillEndpoint(key)
    if (kind === 'port') return String(publish(key))
    return kind === 'option' ? String(options.get(key) ?? '…') : '…'
  })
}

/** Ports, including those that an option opens. */
function portsOf(ports: unknown, defaults: OptionValues): (number | string)[] {
  if (!Array.isArray(ports)) return []
  return ports.flatMap((port: unknown) => {
    if (typeof port === 'number' || typeof port === 'string') return [port]
    if (!isBlock(port)) return []
    if ('if' in port) return portsOf([port.then, port.else].flat(), defaults)
    if ('option' in port) return portsOf([defaults.get(String(port.option))], defaults)
    const protocol = port.protocol === undefined ? '' : `/${String(port.protocol)}`
    return 'container' in port ? [`${String(port.container)}${protocol}`] : []
  })
}

function wordTakes(option: PresetOption): string | undefined {
  if ('values' in option && option.values !== undefined) return option.values.join(', ')
  if ('pattern' in option) return option.form ?? option.pattern
  if (option.type === 'path') return option.kind
  if (option.type !== 'number' || (option.min === undefined && option.max === undefined)) return undefined
  return `${option.min ?? ''}…${option.max ?? ''}`
}
