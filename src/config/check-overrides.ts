import { readdirSync, statSync } from 'node:fs'
import { basename, join, posix, resolve } from 'node:path'
import { isBlock } from '../formats/block.ts'
import { isInside } from '../formats/paths.ts'
import type { FieldPath } from '../model/fleet.ts'
import type { ReportMistake } from './document.ts'
import { fits, listPublicFiles } from './public-files.ts'
import type { Preset } from './read-preset.ts'

type Block = Readonly<Record<string, unknown>>

interface Asking {
  readonly preset: Preset
  /** The preset's server, with the options filled in. */
  readonly filled: Block
  /** What the fleet file declares for the server. */
  readonly own: Block
}

/** Name of presets' start scripts. A file with another name has an effect only if `command` calls it. */
const START_SCRIPT = /^\/usr\/local\/bin\/start-[^/]+$/
/** A folder with more files is not configuration. */
const MOST_FILES = 1000

/**
 * Reports each file that the fleet file puts next to the configuration of a preset's server and that the server does not
 * read: the preset has renamed it, or never had it. Reports nothing once the server reads a file of the user's there,
 * because that file may include others, or is started by the user's own command.
 */
export function checkOverrides(
  { preset, filled, own }: Asking,
  at: FieldPath,
  { report, folder }: { readonly report: ReportMistake; readonly folder: string },
): void {
  const { under = [] } = preset.configuration ?? {}
  const known = listPublicFiles(preset)
  const isRead = (path: string): boolean => known.some((pattern) => fits(path, pattern))
  const isConfiguration = (path: string): boolean => under.some((place) => isInside(path, place))
  const puts = listPuts(own, folder)
  const ofOptions = itemsOf(filled.build, 'copy').filter(
    ({ from }) => typeof from === 'string' && !from.startsWith(`${preset.folder}/`),
  )
  const read = [...puts.flatMap(({ paths }) => paths), ...ofOptions.map(({ to }) => String(to))].filter(isRead)
  const isFree = hasOwnCommand(own, filled) || read.some(isConfiguration)
  for (const { at: place, paths } of puts) {
    const stale = paths.find(
      (path) =>
        !isRead(path) && ((isConfiguration(path) && !isFree) || (START_SCRIPT.test(path) && own.command === undefined)),
    )
    if (stale === undefined) continue
    const others = known.length === 0 ? 'all of its settings are options' : `it reads ${known.join(', ')}`
    report([...at, ...place], `the preset ${preset.name} does not read ${stale}; ${others}`)
  }
}

/** Returns whether `command` of the fleet file starts the server in another way than the preset does. */
function hasOwnCommand(own: Block, filled: Block): boolean {
  const [program] = Array.isArray(filled.command) ? filled.command : []
  return own.command !== undefined && !JSON.stringify(own.command).includes(String(program))
}

interface Put {
  readonly at: FieldPath
  /** Returns the files that the fleet file puts into the server. */
  readonly paths: readonly string[]
}

function listPuts(own: Block, folder: string): Put[] {
  const copies = itemsOf(own.build, 'copy').map((item, index) => ({ item, at: ['build', 'copy', index, 'to'] }))
  const mounts = itemsOf(own, 'mounts').map((item, index) => ({ item, at: ['mounts', index, 'to'] }))
  return [...copies, ...mounts].flatMap(({ item: { from, to }, at }) =>
    typeof to === 'string' ? [{ at, paths: listTargets(from, to, folder) }] : [],
  )
}

function itemsOf(block: unknown, key: string): Block[] {
  const list = isBlock(block) ? block[key] : undefined
  // The schema reports a value that is no block. Here it is left as it is.
  return Array.isArray(list) ? list.map((item) => (isBlock(item) ? item : {})) : []
}

/** Returns the paths that a file or folder gets in the server. A missing path is reported elsewhere. */
function listTargets(from: unknown, to: string, folder: string): string[] {
  const target = posix.normalize(to)
  if (typeof from !== 'string' || from === '') return [target]
  const path = resolve(folder, from)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || !isInside(path, folder)) return [target]
  if (!stats.isDirectory()) return [target.endsWith('/') ? target + basename(path) : target]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .slice(0, MOST_FILES)
    .map((entry) => posix.join(target, join(entry.parentPath, entry.name).slice(path.length)))
}
