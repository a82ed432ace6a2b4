import { existsSync } from 'node:fs'
import { homedir, hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { TestfleetError } from './model/failures.ts'
import type { Host } from './model/host.ts'

/**
 * The process that this program runs in: the one place below the command where it is looked at. `workingFolder` is looked
 * up when it is asked for: not every call needs one, and it may have been removed. It then fails with USAGE.
 */
export function currentHost(workingFolder?: string): Host {
  return {
    get workingFolder() {
      return workingFolder ?? readWorkingFolder()
    },
    homeFolder: homedir(),
    temporaryFolder: tmpdir(),
    environment: process.env,
    platform: process.platform,
    userId: process.getuid?.(),
    groupId: process.getgid?.(),
    processId: process.pid,
    parentProcessId: process.ppid,
    keeperFile: findBeside('sessions/keeper/main.ts', 'keeper/main.js'),
    lenderFile: findBeside('lender/main.ts', 'lender/main.js'),
    supervisorFile: findBeside('runtime/processes/supervisor/main.ts', 'supervisor/main.js'),
    presetsFolder: findBeside('presets'),
    nodeHookFile: findBeside('names/node-hook.cjs', 'cli/node-hook.cjs'),
    commandGuardFile: findBeside('names/command-guard.cjs', 'cli/command-guard.cjs'),
    owner: `${readUserName()}@${hostname()}`,
  }
}

function readWorkingFolder(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new TestfleetError('USAGE', 'the working folder has been removed', {
      hint: 'Change to a folder that exists.',
      cause,
    })
  }
}

/** Path of a file next to the source of this one, or in the package. */
function findBeside(...names: readonly string[]): string {
  const { dirname } = import.meta
  const candidates = names.flatMap((name) => [join(dirname, name), join(dirname, '..', name)])
  return candidates.find((path) => existsSync(path)) ?? join(dirname, names.at(-1) ?? '')
}

/** A user without an entry in the system's list, as containers often have, is known by number. */
function readUserName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
