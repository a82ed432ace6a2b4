import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Every file of a bundle, by its path below the folder. */
export async function readBundle(folder: string): Promise<Record<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = await Promise.all(files.map(async (file) => [relative(folder, file), await readFile(file, 'utf8')]))
  return Object.fromEntries(read.sort())
}

/** The bundles that a failing call left in the folder for temporary files; the folder of the keepers' sockets is none. */
export async function findBundles(temporaryFolder: string): Promise<string[]> {
  const names = await readdir(temporaryFolder)
  return names.filter((name) => /^testfleet-(?!\d+$)/.test(name)).map((name) => join(temporaryFolder, name))
}

/** Unpacks an archive with tar into a new folder next to it; resolves with the one folder in it. */
export async function unpack(archive: string): Promise<string> {
  const into = await mkdtemp(join(dirname(archive), 'unpacked-'))
  await run('tar', ['-xzf', archive, '-C', into])
  const [top = '', ...others] = await readdir(into)
  if (others.length > 0) throw new Error(`${archive} unpacks to more than one folder: ${[top, ...others].join(', ')}`)
  return join(into, top)
}

/** Modes of all that is in a folder, and its own, such as 700. */
export async function modesOf(folder: string): Promise<Record<'folders' | 'files', ReadonlySet<string>>> {
  const modes = { folders: new Set<string>(), files: new Set<string>() }
  for (const path of ['.', ...(await readdir(folder, { recursive: true }))]) {
    const { mode, isDirectory } = await stat(join(folder, path)).then((found) => ({
      mode: (found.mode & 0o777).toString(8),
      isDirectory: found.isDirectory(),
    }))
    modes[isDirectory ? 'folders' : 'files'].add(mode)
  }
  return modes
}

/** All forms that a value can have in a text. */
export function formsOfSecret(value: string): string[] {
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64').replaceAll('=', ''),
  ]
}

/** Mounts something small or read-only for a test; only root may. */
export async function mountTmpfs(at: string, options: string): Promise<() => Promise<void>> {
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at])
  return async () => void (await run('umount', [at]))
}
