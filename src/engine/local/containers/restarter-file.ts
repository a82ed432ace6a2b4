import { access, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the restarter's program is, seen from this file: in the source, and from the chunks of the bundles. */
const PLACES = ['../restarter/main.ts', '../restarter/main.js', '../../restarter/main.js', './restarter/main.js']

/** Returns the words with which a monitor calls the restarter; undefined when its file is gone. */
export async function restarterWords(folder: string, id: string): Promise<readonly string[] | undefined> {
  for (const place of PLACES) {
    const file = join(import.meta.dirname, place)
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) return [await readlink('/proc/self/exe'), file, folder, id]
  }
  return undefined
}
