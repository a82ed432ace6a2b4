import { isBlock } from '../formats/block.ts'
import type { PresetOption } from '../model/preset-file.ts'
import { listPresetNames, type Preset, readPreset } from './read-preset.ts'

/** A preset as it is shown: by `testfleet presets`, and in the docs. */
export interface PresetDescription {
  readonly name: string
  readonly description: string
  /** As the fleet file writes them, such as 80 or `53/udp`. */
  readonly ports: readonly (number | string)[]
  readonly options: readonly OptionDescription[]
}

export interface OptionDescription {
  readonly name: string
  readonly type: PresetOption['type']
  readonly default: unknown
  /** What it takes, where that is more than its type: words, what its pattern means, a range. */
  readonly takes: string | undefined
  readonly description: string
}

/** All that testfleet brings along, in the order of the alphabet. */
export async function describePresets(builtIn: string): Promise<PresetDescription[]> {
  const names = await listPresetNames(builtIn)
  const presets = await Promise.all(names.map((name) => readPreset(name, { builtIn, fleet: builtIn })))
  return presets.filter((preset) => preset !== undefined).map(describePreset)
}

export function describePreset({ name, description, server, options = {} }: Preset): PresetDescription {
  return {
    name,
    description,
    ports: portsOf(server.ports),
    options: Object.entries(options).map(([key, option]) => ({
      name: key,
      type: option.type,
      default: 'default' in option ? option.default : undefined,
      takes: wordTakes(option),
      description: option.describe,
    })),
  }
}

/** With those that an option opens. */
function portsOf(ports: unknown): (number | string)[] {
  if (!Array.isArray(ports)) return []
  return ports.flatMap((port: unknown) => {
    if (typeof port === 'number' || typeof port === 'string') return [port]
    if (!isBlock(port)) return []
    if ('if' in port) return portsOf([port.then, port.else].flat())
    const protocol = port.protocol === undefined ? '' : `/${String(port.protocol)}`
    return 'container' in port ? [`${String(port.container)}${protocol}`] : []
  })
}

function wordTakes(option: PresetOption): string | undefined {
  if ('values' in option && option.values !== undefined) return option.values.join(', ')
  if ('pattern' in option) return option.form ?? option.pattern
  if (option.type !== 'number' || (option.min === undefined && option.max === undefined)) return undefined
  return `${option.min ?? ''}…${option.max ?? ''}`
}
