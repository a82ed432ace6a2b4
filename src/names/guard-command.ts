import { spawn } from 'node:child_process'
import { parse } from 'node:path'
import type { Host } from '../model/host.ts'

/** A process that ends the command, with all that it started, when this one is killed. */
export interface CommandGuard {
  watch(pid: number | undefined): void
  /** The command has ended. */
  end(): void
}

/** Started before the command, so that it is at work when the command is. Where it cannot be started, nothing is guarded. */
export function startCommandGuard({ commandGuardFile, platform, environment }: Host): CommandGuard {
  const child = spawn(process.execPath, [commandGuardFile], {
    // It outlives this process, its terminal and its process group.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: parse(commandGuardFile).root,
    env: platform === 'win32' ? { SystemRoot: environment.SystemRoot } : {},
    windowsHide: true,
  })
  child.on('error', () => {}).unref()
  const { stdin } = child
  stdin.on('error', () => {})
  return {
    watch: (pid) => void stdin.write(`${pid ?? ''}\n`),
    end: () => void stdin.end('end\n'),
  }
}
