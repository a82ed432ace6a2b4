import { resolve } from 'node:path'
import { isInside } from '../../formats/paths.ts'
import { FleetFileError, type Mistake } from '../../model/failures.ts'
import type { FieldPath, Position } from '../../model/fleet.ts'
import type { FleetFile, ServerDeclaration } from '../../model/fleet-file.ts'
import { type FleetDocument, formatFieldPath, type ReportMistake } from '../document.ts'
import { sortByPosition } from '../mistakes.ts'
import { fillPreset } from './fill-preset.ts'
import { mergeServer, traceField } from './merge-server.ts'
import type { Preset } from './preset.ts'
import { isOwnPreset, type PresetFolders, readPreset, wordNoPreset } from './read-preset.ts'
import { takeOptions } from './take-options.ts'

/** A server that was made of a preset and of what the file says. */
interface Expanded {
  readonly preset: Preset
  readonly filled: Record<string, unknown>
  readonly own: Record<string, unknown>
}

/**
 * The fleet file with each preset's server in the place of its name, and where everything in it stands.
 * Fails with a `FleetFileError`.
 */
export async function expandPresets(
  file: FleetFile,
  document: FleetDocument,
  folders: PresetFolders,
): Promise<FleetDocument> {
  const mistakes: Mistake[] = []
  const report: ReportMistake = (path, message) => {
    mistakes.push({ at: document.locate(path), field: formatFieldPath(path), message })
  }
  const expanded = new Map<string, Expanded>()
  for (const [name, server] of Object.entries(file.servers)) {
    const one = await expandServer(['servers', name], server, folders, report)
    if (one !== undefined) expanded.set(name, one)
  }
  if (mistakes.length > 0) throw new FleetFileError(sortByPosition(mistakes))
  const servers = Object.entries(file.servers).map(([name, server]): [string, unknown] => {
    const one = expanded.get(name)
    return [name, one === undefined ? server : mergeServer(one.filled, one.own)]
  })
  return describeExpanded({ ...file, servers: Object.fromEntries(servers) }, document, expanded)
}

async function expandServer(
  at: FieldPath,
  server: ServerDeclaration,
  folders: PresetFolders,
  report: ReportMistake,
): Promise<Expanded | undefined> {
  const { preset: name, options = {}, ...own } = server
  if (name === undefined) return undefined
  if (isOwnPreset(name) && !isInside(resolve(folders.fleet, name), folders.fleet)) {
    report([...at, 'preset'], `${name} leads out of the fleet's folder`)
    return undefined
  }
  const preset = await readPreset(name, folders)
  if (preset === undefined) {
    report([...at, 'preset'], await wordNoPreset(name, folders))
    return undefined
  }
  const values = takeOptions(options, preset, [...at, 'options'], report)
  return { preset, filled: fillPreset(preset, values), own }
}

/** What stands in the file is where it stands; what comes from a preset is there, or where the preset is asked for. */
function describeExpanded(
  value: unknown,
  document: FleetDocument,
  expanded: ReadonlyMap<string, Expanded>,
): FleetDocument {
  const find = (path: FieldPath): { document: FleetDocument; path: FieldPath } => {
    const [top, server, ...rest] = path
    const one = top === 'servers' ? expanded.get(String(server)) : undefined
    if (one === undefined || server === undefined || rest.length === 0) return { document, path }
    const trace = traceField(rest, one.filled, one.own)
    if (trace.from === 'own') return { document, path: ['servers', server, ...trace.path] }
    if (one.preset.isBuiltIn) return { document, path: ['servers', server, 'preset'] }
    return { document: one.preset.document, path: ['server', ...trace.path] }
  }
  const locateWith =
    (how: 'locate' | 'locateKey') =>
    (path: FieldPath): Position => {
      const place = find(path)
      return place.document[how](place.path)
    }
  return {
    value,
    locate: locateWith('locate'),
    locateKey: locateWith('locateKey'),
    locateText(path) {
      const place = find(path)
      return place.document === document ? document.locateText(place.path) : undefined
    },
  }
}
