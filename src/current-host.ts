import { existsSync } from 'node:fs'
import { homedir, hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Host } from './model/host.ts'

/** The process that this program runs in: the one place below the command where it is looked at. */
export function currentHost(): Host {
  return {
    workingFolder: process.cwd(),
    homeFolder: homedir(),
    temporaryFolder: tmpdir(),
    environment: process.env,
    platform: process.platform,
    userId: process.getuid?.(),
    processId: process.pid,
    parentProcessId: process.ppid,
    keeperFile: findKeeper(),
    owner: `${readUserName()}@${hostname()}`,
  }
}

/** Beside the source of this file, or in the package. */
function findKeeper(): string {
  const { dirname } = import.meta
  const candidates = ['keeper/main.ts', 'keeper/main.js', '../keeper/main.js'].map((path) => join(dirname, path))
  return candidates.find((path) => existsSync(path)) ?? join(dirname, 'keeper/main.js')
}

/** A user without an entry in the system's list, as containers often have, is known by number. */
function readUserName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
