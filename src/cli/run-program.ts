import { spawn } from 'node:child_process'
import { access, constants, stat } from 'node:fs/promises'
import { constants as osConstants } from 'node:os'
import { delimiter, extname, join, resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import { wordFileError } from '../model/file-error.ts'
import type { Host } from '../model/host.ts'
import type { Call } from './call.ts'

/** The program's path, found as a shell would. Fails with USAGE, before anything is started for it. */
export async function findProgram(name: string, host: Host): Promise<string> {
  const isPath = name.includes('/') || (host.platform === 'win32' && name.includes('\\'))
  const folders = isPath ? [''] : (host.environment.PATH ?? host.environment.Path ?? '').split(delimiter)
  const endings = host.platform === 'win32' && extname(name) === '' ? ['.exe', '.cmd', '.bat', ''] : ['']
  for (const folder of folders) {
    for (const ending of endings) {
      const path = resolve(host.workingFolder, join(folder, name + ending))
      if (await isProgram(path)) return path
    }
  }
  throw new TestfleetError('USAGE', `there is no program ${JSON.stringify(name)}`, {
    hint: isPath ? 'Check its path, and that it can be executed.' : 'Check its spelling, and that it is on PATH.',
  })
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/**
 * Runs the program with our streams; resolves with its exit code, or 128 and the number of the signal that ended it.
 * A signal that reaches us is passed on, and the program has the time that it takes to end.
 */
export async function runProgram(
  path: string,
  programArguments: readonly string[],
  variables: Readonly<Record<string, string>>,
  call: Call,
): Promise<number> {
  call.signal.throwIfAborted()
  const child = spawn(path, programArguments, {
    stdio: 'inherit',
    env: { ...call.host.environment, ...variables },
    argv0: call.command[0],
  })
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal sends its own SIGINT to all of its foreground processes: passing it on would make two of one.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, forward)
  // Whoever asks a second time does not wait: neither does what runs for him.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  try {
    return await new Promise<number>((settle, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        // The file itself was there a moment ago.
        const why =
          error.code === 'ENOENT' ? 'the interpreter that its first line names is not there' : wordFileError(error)
        reject(new TestfleetError('COMMAND_NOT_FOUND', `${path} cannot be run: ${why}`, { cause: error }))
      })
      child.once('exit', (code, signal) => settle(code ?? 128 + (signal === null ? 0 : osConstants.signals[signal])))
    })
  } finally {
    process.off('exit', kill)
    for (const signal of signals) process.off(signal, forward)
  }
}
