import { resolve } from 'node:path'
import { isBlock } from '../formats/block.ts'
import { isInside } from '../formats/paths.ts'
import type { Mistake } from '../model/failures.ts'
import type { FieldOrigin, FieldPath } from '../model/fleet.ts'
import { isPresetName } from '../model/fleet-file-rules.ts'
import { openPatternJudge, type PatternJudge } from '../patterns/match-pattern.ts'
import { checkOptions } from './check-options.ts'
import { checkOverrides } from './check-overrides.ts'
import { type FleetDocument, type ReportMistake, reportTo } from './document.ts'
import { checkExternal, expandExternal } from './expand-external.ts'
import { fillPreset } from './fill-preset.ts'
import { type Block, fieldOf, mergeServer, traceField } from './merge-server.ts'
import type { External, Externals } from './read-externals.ts'
import {
  isHiddenElsewhere,
  isOwnPreset,
  type Preset,
  type PresetFolders,
  readPreset,
  wordNoPreset,
} from './read-preset.ts'
import { takeOptions } from './take-options.ts'

interface Expanded {
  /** Undefined for an external server without one. */
  readonly preset: Preset | undefined
  readonly filled: Block
  readonly own: Block
  readonly options: Block
  /** Of a server that runs elsewhere: its secret is now that of its preset. */
  readonly external?: External
}

/**
 * Replaces each preset's name in the fleet file by its server, and keeps the position of every value. Nothing is
 * validated yet: a server whose preset cannot be expanded is left as written, and its preset's error is a mistake.
 */
export async function expandPresets(
  document: FleetDocument,
  folders: PresetFolders,
  externals: Externals = new Map(),
): Promise<{
  readonly document: FleetDocument
  readonly mistakes: readonly Mistake[]
  readonly externals: Externals
}> {
  const mistakes: Mistake[] = []
  const report = reportTo(mistakes, document)
  const { value } = document
  const servers = isBlock(value) && isBlock(value.servers) ? Object.entries(value.servers) : []
  await using judge = openPatternJudge()
  const all = servers.map(async ([name, server]): Promise<readonly [string, Expanded] | undefined> => {
    const expanded = await expandServer(['servers', name], server, externals.get(name), { folders, report, judge })
    return expanded && [name, expanded]
  })
  const expanded = new Map((await Promise.all(all)).filter((one) => one !== undefined))
  if (expanded.size === 0) return { document, mistakes, externals }
  const merged = servers.map(([name, server]): [string, unknown] => {
    const one = expanded.get(name)
    return [name, one === undefined ? server : mergeServer(one.filled, one.own)]
  })
  return {
    document: describeExpanded({ ...(value as Block), servers: Object.fromEntries(merged) }, document, expanded),
    mistakes,
    externals: new Map([...expanded].flatMap(([name, { external }]) => (external ? [[name, external]] : []))),
  }
}

interface Expansion {
  readonly folders: PresetFolders
  readonly report: ReportMistake
  readonly judge: PatternJudge
}

/** Returns undefined for a server without a preset or with a wrong one. Mistakes are reported here or by the schema. */
async function expandServer(
  at: FieldPath,
  server: unknown,
  external: External | undefined,
  expansion: Expansion,
): Promise<Expanded | undefined> {
  if (!isBlock(server)) return undefined
  const { report } = expansion
  const { preset: name, options = {}, image } = server
  if (external !== undefined && !isOnlyExternal(server, external, at, report)) return undefined
  if (external !== undefined && name === undefined) return expandOther(server, external, undefined, at, report)
  if (typeof name !== 'string' || !isPresetName(name) || !isBlock(options) || image !== undefined) return undefined
  const preset = await findPreset(name, at, expansion)
  if (preset === undefined) return undefined
  return external === undefined
    ? expandContainer({ server, preset, options }, at, expansion)
    : expandExternalPreset({ server, preset, options }, external, at, expansion)
}

async function findPreset(name: string, at: FieldPath, { folders, report }: Expansion): Promise<Preset | undefined> {
  if (
    isOwnPreset(name) &&
    (!isInside(resolve(folders.fleet, name), folders.fleet) || isHiddenElsewhere(name, folders))
  ) {
    report([...at, 'preset'], `${name} leads out of the fleet's folder`)
    return undefined
  }
  const preset = await readPreset(name, folders)
  if (preset === undefined) report([...at, 'preset'], await wordNoPreset(name, folders))
  return preset
}

interface OfPreset {
  readonly server: Record<string, unknown>
  readonly preset: Preset
  readonly options: Block
}

async function expandContainer(
  { server, preset, options }: OfPreset,
  at: FieldPath,
  { folders, report, judge }: Expansion,
): Promise<Expanded | undefined> {
  const { preset: _, options: __, ...own } = server
  const asked = isTlsImplied(own, options, preset) ? { ...options, tls: true } : options
  if (asked.tls === false && own.tls !== undefined && own.tls !== false && hasTlsOption(preset))
    report([...at, 'tls'], 'has no effect with `tls: false` in `options`')
  const values = await takeOptions(asked, preset, [...at, 'options'], { report, judge, folder: folders.fleet })
  if (values === undefined) return undefined
  const expanded = { preset, filled: fillPreset(preset, values), own, options }
  checkOverrides(expanded, at, { report, folder: folders.fleet })
  checkOptions({ preset, own, asked: options }, at, report)
  return expanded
}

async function expandExternalPreset(
  { server, preset, options }: OfPreset,
  external: External,
  at: FieldPath,
  { folders, report, judge }: Expansion,
): Promise<Expanded | undefined> {
  const taken = await takeOptions(options, preset, [...at, 'options'], { report, judge, folder: folders.fleet })
  return taken && expandOther(server, external, { preset, options }, at, report)
}

/** Whether the URL is the server's only source. If it is not, the schema says so. */
function isOnlyExternal(
  server: Record<string, unknown>,
  external: External,
  at: FieldPath,
  report: ReportMistake,
): boolean {
  if (external.from !== undefined) return true
  checkExternal(server, external, at, report)
  return [server.image, server.build, server.process].every((source) => source === undefined)
}

function expandOther(
  server: Record<string, unknown>,
  external: External,
  choice: { readonly preset: Preset; readonly options: Block } | undefined,
  at: FieldPath,
  report: ReportMistake,
): Expanded {
  const place = external.from === undefined ? ['external'] : ['external', 'env']
  const { filled, own, secret } = expandExternal(server, external, choice, (message) =>
    report([...at, ...place], message),
  )
  return { preset: choice?.preset, filled, own, options: {}, external: { ...external, secret } }
}

function hasTlsOption({ options }: Preset): boolean {
  return options?.tls?.type === 'boolean'
}

/** A preset with the option `tls` uses the certificate that its server is given. */
function isTlsImplied(own: Block, options: Block, preset: Preset): boolean {
  return own.tls !== undefined && own.tls !== false && options.tls === undefined && hasTlsOption(preset)
}

/**
 * Returns the path of the option whose value is the block at `path` of a filled preset, such as a secret, or undefined
 * for values of the preset itself.
 */
function traceOption(path: FieldPath, { filled, options }: Expanded): FieldPath | undefined {
  for (let length = 1; length <= path.length; length++) {
    const block = fieldOf(filled, path.slice(0, length))
    if (!isBlock(block)) continue
    for (const [name, asked] of Object.entries(options)) {
      if (asked === block) return ['options', name, ...path.slice(length)]
      const [member] = isBlock(asked) ? (Object.entries(asked).find(([, one]) => one === block) ?? []) : []
      if (member !== undefined) return ['options', name, member, ...path.slice(length)]
    }
  }
  return undefined
}

/** Every preset of the catalogue applies its secrets at every start, by its own command. */
function findAppliedSecrets({ preset, filled, own }: Expanded): ReadonlySet<string> {
  const isOwnStart = own.command !== undefined || own.entrypoint !== undefined
  if (preset === undefined || preset.document !== undefined || isOwnStart || !isBlock(filled.secrets)) return new Set()
  return new Set(Object.keys(filled.secrets))
}

/** Values of the file keep their position. Values of a preset get that of their option or of `preset`. */
function describeExpanded(
  value: unknown,
  document: FleetDocument,
  expanded: ReadonlyMap<string, Expanded>,
): FleetDocument {
  const find = (path: FieldPath): { document: FleetDocument; path: FieldPath; origin: FieldOrigin } => {
    const [top, server, ...rest] = path
    const one = top === 'servers' ? expanded.get(String(server)) : undefined
    if (one === undefined || server === undefined || rest.length === 0) return { document, path, origin: 'file' }
    const trace = traceField(rest, one.filled, one.own)
    const own = trace.from === 'own' ? trace.path : traceOption(trace.path, one)
    if (own !== undefined) return { document, path: ['servers', server, ...own], origin: 'file' }
    if (one.external !== undefined) return { document, path: ['servers', server, 'external'], origin: 'file' }
    return one.preset?.document === undefined
      ? { document, path: ['servers', server, 'preset'], origin: 'catalogue' }
      : { document: one.preset.document, path: ['server', ...trace.path], origin: 'preset' }
  }
  const locateWith = (how: 'locate' | 'locateKey') => (path: FieldPath) => {
    const place = find(path)
    return place.document[how](place.path)
  }
  return {
    value,
    options: new Map([...expanded].map(([name, { options }]) => [name, options])),
    appliedSecrets: new Map([...expanded].map(([name, one]) => [name, findAppliedSecrets(one)])),
    locate: locateWith('locate'),
    locateKey: locateWith('locateKey'),
    locateText(path) {
      const place = find(path)
      return place.document === document ? document.locateText(place.path) : undefined
    },
    nameField(path) {
      const place = find(path)
      return document.nameField(place.origin === 'file' ? place.path : path)
    },
    originOf: (path) => find(path).origin,
  }
}
