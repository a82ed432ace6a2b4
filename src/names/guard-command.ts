import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { parse } from 'node:path'
import { type Host, OUTLIVES_STARTER } from '../model/host.ts'

/** A process that ends the command, with all that it started, when this one is killed. */
export interface CommandGuard {
  /** Whether there is one: then nobody else has to end the command. */
  readonly isThere: boolean
  /** For the command: its programs are found by it. */
  readonly environment: Readonly<Record<string, string>>
  watch(pid: number | undefined): void
  /** The command has ended. */
  end(): void
}

/** Each command has its own value. */
const variable = 'TESTFLEET_COMMAND'

const nobody: CommandGuard = { isThere: false, environment: {}, watch() {}, end() {} }

/** Started before the command, so that it is at work when the command is. */
export function startCommandGuard({ commandGuardFile, platform }: Host): CommandGuard {
  // Windows does not say which process has started which.
  if (platform === 'win32') return nobody
  const mark = randomBytes(16).toString('hex')
  const child = spawn(process.execPath, [commandGuardFile, `${variable}=${mark}`, OUTLIVES_STARTER], {
    // It outlives this process, its terminal and its process group.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: parse(commandGuardFile).root,
    env: {},
  })
  child.on('error', () => {}).unref()
  const { stdin } = child
  stdin.on('error', () => {})
  return {
    isThere: child.pid !== undefined,
    environment: { [variable]: mark },
    watch: (pid) => void stdin.write(`${pid ?? ''}\n`),
    end: () => void stdin.end('end\n'),
  }
}
