import type { Stats } from 'node:fs'
import { access, constants, lstat, realpath } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { isInside } from '../formats/paths.ts'
import { wordFileError } from '../formats/word-error.ts'
import { MAX_CERTIFICATE_BYTES } from '../model/certificate.ts'
import type { Mistake } from '../model/failures.ts'
import { type FieldPath, type Fleet, type ImageRecipe, imageOf, MAX_SECRET_BYTES, type Server } from '../model/fleet.ts'
import { formatFieldPath } from './document.ts'

type Kind = 'file' | 'folder' | 'file or folder'

interface PathUse {
  readonly path: string
  readonly at: FieldPath
  readonly kind: Kind
  /** `never` when no key allows it. */
  readonly mayLeave: boolean | 'never'
  readonly maxBytes?: number
  /** Only the engine reads this path. */
  readonly isMounted?: boolean
}

/**
 * Checks that every path of the fleet file is there, is of the right kind, and stays in the fleet's folder when its
 * links are followed, unless it may leave it.
 */
export async function findPathMistakes(fleet: Fleet): Promise<readonly Mistake[]> {
  const uses = [...fleet.servers.values()].flatMap((server) => pathsOfServer(server, fleet.folder))
  if (uses.length === 0) return []
  const root = await realpath(fleet.folder)
  const distinct = new Map(uses.map((use) => [formatFieldPath(use.at), use]))
  const mistakes = await Promise.all(
    [...distinct.values()].map(async (use): Promise<Mistake | undefined> => {
      const message = await findPathMistake(use, root, fleet.folder)
      return message === undefined
        ? undefined
        : { at: fleet.source.locate(use.at), field: fleet.source.nameField(use.at), message }
    }),
  )
  return mistakes.filter((mistake) => mistake !== undefined)
}

/** Returns what is wrong with a path in an option of a preset, relative to the fleet's folder. */
export async function findOptionPathMistake(
  path: string,
  kind: Kind | undefined,
  folder: string,
): Promise<string | undefined> {
  const use = { path: resolve(folder, path), at: [], kind: kind ?? 'file or folder', mayLeave: false } as const
  return findPathMistake(use, await realpath(folder), folder)
}

async function findPathMistake(use: PathUse, root: string, folder: string): Promise<string | undefined> {
  const shown = relative(folder, use.path) || '.'
  let real: string
  try {
    real = await realpath(use.path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no ${use.kind} ${shown}`
    return `${shown} cannot be read: ${wordFileError(error)}`
  }
  if (use.mayLeave !== true && !isInside(real, root)) {
    const hint = use.mayLeave === 'never' ? '' : '; `outside: true` allows it'
    return `${shown} leads out of the fleet's folder${hint}`
  }
  const stats = await lstat(real)
  const mistake = findKindMistake(use, stats)
  if (mistake !== undefined) return `${shown} ${mistake}`
  if (use.isMounted) return undefined
  return access(real, stats.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK).then(
    () => undefined,
    (error: unknown) => `${shown} cannot be read: ${wordFileError(error)}`,
  )
}

function findKindMistake({ kind, maxBytes }: PathUse, stats: Stats): string | undefined {
  if (!stats.isFile() && !stats.isDirectory()) return 'is neither a file nor a folder'
  if (kind === 'file' && stats.isDirectory()) return 'is a folder, not a file'
  if (kind === 'folder' && stats.isFile()) return 'is a file, not a folder'
  if (maxBytes === undefined || stats.size <= maxBytes) return undefined
  return `has ${stats.size} bytes; it can have at most ${maxBytes}`
}

function pathsOfServer(server: Server, folder: string): PathUse[] {
  const at: FieldPath = ['servers', server.name]
  const image = imageOf(server)
  const uses: PathUse[] = image?.kind === 'built' ? pathsOfRecipe(image.recipe, folder) : []
  if (server.runs.kind === 'process')
    uses.push({ path: server.runs.folder, mayLeave: 'never', at: [...at, 'workingDir'], kind: 'folder' })
  server.mounts.forEach((mount, index) => {
    if (mount.kind !== 'bind') return
    const { from: path, mayLeave } = mount
    uses.push({ path, mayLeave, at: [...at, 'mounts', index, 'from'], kind: 'file or folder', isMounted: true })
  })
  for (const [key, file] of Object.entries(server.tls?.own ?? {}))
    uses.push({ ...file, at: [...at, 'tls', key], kind: 'file', maxBytes: MAX_CERTIFICATE_BYTES })
  for (const [name, secret] of server.secrets) {
    if (secret.kind !== 'file') continue
    const { path, mayLeave } = secret
    uses.push({ path, mayLeave, at: [...at, 'secrets', name, 'file'], kind: 'file', maxBytes: MAX_SECRET_BYTES })
  }
  return uses
}

function pathsOfRecipe(recipe: ImageRecipe, folder: string): PathUse[] {
  if (recipe.kind === 'dockerfile') {
    const { dockerfile, context, mayLeave, at } = recipe
    return [
      { path: dockerfile, mayLeave, at: [...at, 'dockerfile'], kind: 'file' },
      { path: context, mayLeave, at: [...at, 'context'], kind: 'folder' },
    ]
  }
  const uses = recipe.steps.copy.flatMap(({ source }, index): PathUse[] => {
    // Files that testfleet's own presets copy are part of the package.
    if (source.kind !== 'path' || source.folder !== folder) return []
    const { path, mayLeave, ignored } = source
    const kind = ignored.length === 0 ? 'file or folder' : 'folder'
    return [{ path, mayLeave, at: [...recipe.at, 'copy', index, 'from'], kind }]
  })
  return recipe.from.kind === 'built' ? [...pathsOfRecipe(recipe.from.recipe, folder), ...uses] : uses
}
