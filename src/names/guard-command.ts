import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { parse } from 'node:path'
import { type Host, OUTLIVES_STARTER } from '../model/host.ts'

/** Guard process, which ends the command and all its programs when this process is killed. */
export interface CommandGuard {
  /** Whether the guard runs. Without it, this process has to kill the command itself. */
  readonly isRunning: boolean
  /** Variables for the command, by which its programs are found. */
  readonly environment: Readonly<Record<string, string>>
  watch(pid: number | undefined): void
  /** Tells the guard that the command has ended. */
  end(): void
}

/** Each command has a unique value. */
const variable = 'TESTFLEET_COMMAND'

const nobody: CommandGuard = { isRunning: false, environment: {}, watch() {}, end() {} }

/** Starts the guard. Must be called before the command starts, so that the guard is ready. */
export function startCommandGuard({ commandGuardFile, platform }: Host): CommandGuard {
  // On Windows, the parent of a process is not known.
  if (platform === 'win32') return nobody
  const mark = randomBytes(16).toString('hex')
  const child = spawn(process.execPath, [commandGuardFile, `${variable}=${mark}`, OUTLIVES_STARTER], {
    // The guard outlives this process, its terminal and its process group.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: parse(commandGuardFile).root,
    env: {},
  })
  child.on('error', () => {}).unref()
  const { stdin } = child
  stdin.on('error', () => {})
  return {
    isRunning: child.pid !== undefined,
    environment: { [variable]: mark },
    watch: (pid) => void stdin.write(`${pid ?? ''}\n`),
    end: () => void stdin.end('end\n'),
  }
}
