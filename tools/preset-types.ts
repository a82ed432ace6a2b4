/**
 * Writes src/api/types/preset-types.ts, which types the ports, exports and options of each preset: `node
 * tools/preset-types.ts`. With `--check` it writes nothing, and fails when the file is outdated.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { listPresetNames, type Preset, readPreset } from '../src/config/read-preset.ts'
import { currentHost } from '../src/current-host.ts'
import { isBlock } from '../src/formats/block.ts'
import { readPortRange } from '../src/formats/port-range.ts'
import type { PresetOption } from '../src/model/preset-file.ts'

const file = new URL('../src/api/types/preset-types.ts', import.meta.url)
const folders = { builtIn: currentHost().presetsFolder, fleet: '' }

const head = `/** Made from src/presets by \`node tools/preset-types.ts\`. */

/** Source of a secret. */
type SecretSource = { readonly [from in 'env' | 'file' | 'generate' | 'value' | 'outside']?: string | number | boolean }

/**
 * Types of the presets of the catalogue, by name: the ports that they publish, the variables that they export, the additions of
 * each enabled option to both, and the type of each option.
 */
export interface PresetTypes {
`

/** Members of a preset: unconditional ones, and those while an option is on (\`login\`) or off (\`!login\`). */
class Found {
  readonly always = new Set<string>()
  readonly when = new Map<string, Set<string>>()

  add(name: string, condition: string | undefined): void {
    if (condition === undefined) this.always.add(name)
    else this.when.set(condition, (this.when.get(condition) ?? new Set()).add(name))
  }
}

async function render(): Promise<string> {
  const names = await listPresetNames(folders.builtIn)
  const presets = (await Promise.all(names.map((name) => readPreset(name, folders)))).filter((one) => one !== undefined)
  return `${head}${presets.map(renderPreset).join('')}}\n`
}

function renderPreset(preset: Preset): string {
  const { name, options = {}, server } = preset
  const ports = new Found()
  for (const item of Array.isArray(server.ports) ? server.ports : []) collectPorts(item, undefined, ports)
  const exports = new Found()
  for (const [key, value] of Object.entries(isBlock(server.export) ? server.export : {}))
    collectExport(key, value, undefined, exports)
  const conditions = [...new Set([...ports.when.keys(), ...exports.when.keys()])]
  const adds = conditions.map((condition) => {
    const option = options[condition]
    if (option?.type !== 'boolean') throw new Error(`${name}: what depends on ${condition} has no type yet`)
    const added = `ports: ${unite(ports.when.get(condition))}; exports: ${unite(exports.when.get(condition))}`
    return `      ${condition}: { default: ${option.default ?? false}; ${added} }\n`
  })
  return [
    `  ${quoteKey(name)}: {\n    ports: ${unite(ports.always)}\n    exports: ${unite(exports.always)}\n`,
    adds.length === 0 ? '    adds: object\n' : `    adds: {\n${adds.join('')}    }\n`,
    renderOptions(Object.entries(options)),
    '  }\n',
  ].join('')
}

function renderOptions(options: readonly (readonly [string, PresetOption])[]): string {
  if (options.length === 0) return '    options: object\n'
  const lines = options.map(([key, option]) => {
    const comment = `      /** ${option.describe.replaceAll('*/', '*\\/')} */\n`
    return `${comment}      readonly ${key}?: ${typeOf(option)} | undefined\n`
  })
  return `    options: {\n${lines.join('')}    }\n`
}

function typeOf(option: PresetOption): string {
  switch (option.type) {
    case 'text':
      return option.values === undefined ? 'string' : option.values.map(quote).join(' | ')
    case 'path':
      return 'string'
    case 'list':
      return 'readonly string[]'
    case 'secret':
      return 'SecretSource'
    case 'users':
      return '{ readonly [user in string]: SecretSource }'
    default:
      return option.type
  }
}

function collectPorts(item: unknown, condition: string | undefined, into: Found): void {
  if (Array.isArray(item)) for (const one of item) collectPorts(one, condition, into)
  else if (typeof item === 'number' || typeof item === 'string')
    for (const key of portKeys(item)) into.add(key, condition)
  else if (isBlock(item) && 'option' in item) into.add(`\${number}/tcp`, condition)
  else if (isBlock(item) && 'if' in item && !('is' in item) && !('else' in item) && condition === undefined)
    collectPorts(item.then, String(item.if), into)
  else throw new Error(`ports: ${JSON.stringify(item)} has no type yet`)
}

function portKeys(item: number | string): string[] {
  const range = readPortRange(item)
  if (range === undefined) throw new Error(`${item} is not a port`)
  const length = range.last - range.first + 1
  return Array.from({ length }, (_, offset) => `${range.first + offset}/${range.protocol ?? 'tcp'}`)
}

function collectExport(name: string, value: unknown, condition: string | undefined, into: Found): void {
  if (typeof value === 'string') into.add(name, condition)
  else if (isBlock(value) && 'if' in value && isComplete(value)) into.add(name, condition)
  else if (isBlock(value) && 'if' in value && !('is' in value) && !('else' in value) && condition === undefined)
    collectExport(name, value.then, String(value.if), into)
  else throw new Error(`export: ${name}: ${JSON.stringify(value)} has no type yet`)
}

/** Whether the value is text for every choice of options. */
function isComplete(value: unknown): boolean {
  return typeof value === 'string' || (isBlock(value) && isComplete(value.then) && isComplete(value.else))
}

function unite(names: ReadonlySet<string> = new Set()): string {
  return [...names].map((name) => (name.includes('${') ? `\`${name}\`` : quote(name))).join(' | ') || 'never'
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}

function quoteKey(key: string): string {
  return /^[a-z]\w*$/.test(key) ? key : quote(key)
}

const text = await render()
if (process.argv.includes('--check')) {
  if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error('src/api/types/preset-types.ts is outdated. Run: node tools/preset-types.ts')
    process.exitCode = 1
  }
} else {
  await writeFile(file, text)
}
