import { TestfleetError } from '../../../model/failures.ts'

/** Explains why a container did not start, from what the OCI runtime says. */
export function explainStart(error: unknown): unknown {
  if (error instanceof TestfleetError)
    return error.code === 'ENGINE_REFUSED' ? startFailed(error.message, error.hint ?? hintFor(error.message)) : error
  if (!(error instanceof Error) || error.name === 'AbortError') return error
  const words = error.message.trim()
  const program = missingProgram(words)
  if (program !== undefined) return commandNotFound(program, words)
  return startFailed(shorten(words), hintFor(words), words)
}

function startFailed(why: string, hint: string | undefined, cause?: string): TestfleetError {
  const message = `the container could not be started: ${why}`
  return new TestfleetError('START_FAILED', message, { hint, ...(cause !== undefined && { cause }) })
}

/** runc: `exec: "x": executable file not found in $PATH`, with the reasons of the kernel for a path. crun: `executable file `x` …`. */
export function missingProgram(words: string): string | undefined {
  const runc =
    /exec: \\?"((?:[^"\\]|\\[^"])*)\\?": (?:executable file not found|stat [^\n]*?: no such file|no such file|permission denied|is a directory)/i
  const crun = /executable file `?([^`\s]+)`? not found in \$PATH/i
  return runc.exec(words)?.[1] ?? crun.exec(words)?.[1]
}

export function commandNotFound(program: string, words: string): TestfleetError {
  const isForbidden = /permission denied/i.test(words)
  const why = isForbidden ? 'cannot be executed' : 'does not exist in the image'
  return new TestfleetError('COMMAND_NOT_FOUND', `the program "${program}" ${why}`, {
    hint: isForbidden
      ? 'Make it executable: `mode: "0755"` in `copy`, or `chmod +x` before it is copied or mounted.'
      : 'Write the command as a list: the program, then each of its arguments. The program is looked up on the PATH of the image.',
    cause: words,
  })
}

/** The end of the chain: `x` for `runc create failed: unable to start container process: x`. */
export function shorten(words: string): string {
  return words
    .replace(/^.*unable to start container process: /s, '')
    .replace(/^(?:time="[^"]*" level=\w+ msg="?)?(?:container_linux\.go:\d+: )?(?:runc create failed: )?/, '')
    .replace(/"$/, '')
    .trim()
}

function hintFor(words: string): string | undefined {
  if (/no such user|unknown user|there is no user|no user/i.test(words))
    return 'Create the user in the image (`build.run`: `useradd NAME`), or set `user` to its number.'
  if (/no group/i.test(words))
    return 'Create the group in the image (`build.run`: `groupadd NAME`), or set `user` to its number.'
  if (/no space left/i.test(words)) return 'Free space on the disk of the store.'
  return undefined
}
