import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { EVENTS_FILE, WHY_FILE } from '../model/attached-file.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'

/** Fails with USAGE when two options name the same file to write; `attach-logs`, the last of them, names a folder. */
export function refuseSameOutput(files: Call['options'], workingFolder: string): void {
  const known = new Map<string, string>()
  for (const [option, named] of Object.entries(files)) {
    const paths = [named ?? []].flat().map(String)
    for (const file of option === 'attach-logs' ? paths.flatMap((path) => attachedIn(path, known)) : paths) {
      const path = followLinks(resolve(workingFolder, file))
      const other = known.get(path) ?? option
      if (other !== option)
        throw new TestfleetError('USAGE', `--${other} and --${option} name the same file, ${JSON.stringify(file)}`, {
          hint: `Name another file for --${other}.`,
        })
      known.set(path, option)
    }
  }
}

/** Files that a folder for logs may get. Any server's log is one of them. */
function attachedIn(folder: string, known: ReadonlyMap<string, string>): string[] {
  const logs = [...known.keys()].map((path) => basename(path)).filter((name) => name.endsWith('.log'))
  return [WHY_FILE, EVENTS_FILE, ...logs].map((name) => join(folder, name))
}

/** As many as Linux follows. */
const MOST_LINKS = 40

/** Returns the real path of a file that need not exist yet. */
function followLinks(path: string, links = MOST_LINKS): string {
  try {
    const real = join(realpathSync(dirname(path)), basename(path))
    const target = links > 0 ? readLink(real) : undefined
    return target === undefined ? real : followLinks(resolve(dirname(real), target), links - 1)
  } catch {
    // Its folder does not exist: the call fails when it writes the file.
    return path
  }
}

/** Returns what a link points to; undefined for anything else. */
function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
