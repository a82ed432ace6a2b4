import { spawn } from 'node:child_process'
import { parse } from 'node:path'
import type { Host } from '../model/host.ts'

/** A process that ends the command, with all that it started, when this one is killed. */
export interface CommandGuard {
  /** Whether there is one: then nobody else has to end the command. */
  readonly isThere: boolean
  watch(pid: number | undefined): void
  /** The command has ended. */
  end(): void
}

const nobody: CommandGuard = { isThere: false, watch() {}, end() {} }

/** Started before the command, so that it is at work when the command is. */
export function startCommandGuard({ commandGuardFile, platform }: Host): CommandGuard {
  // Windows does not say which process has started which.
  if (platform === 'win32') return nobody
  const child = spawn(process.execPath, [commandGuardFile], {
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
    watch: (pid) => void stdin.write(`${pid ?? ''}\n`),
    end: () => void stdin.end('end\n'),
  }
}
