import { homedir, hostname, tmpdir, userInfo } from 'node:os'
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
    owner: `${readUserName()}@${hostname()}`,
  }
}

/** A user without an entry in the system's list, as containers often have, is known by number. */
function readUserName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
