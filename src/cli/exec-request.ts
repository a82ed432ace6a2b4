import type { ExecRequest } from '../api/calls/attach.ts'
import { hasNoNul, PROCESS_VARIABLE } from '../formats/grammar.ts'
import { isContainerPath } from '../formats/paths.ts'
import { TestfleetError } from '../model/failures.ts'
import { type Call, textOption } from './call.ts'

/** What the request depends on in the caller's standard streams. */
interface Streams {
  readonly stdin: { readonly isTTY?: boolean }
  readonly stdout: { readonly isTTY?: boolean; readonly rows?: number; readonly columns?: number }
}

/** Reads which command a call of `exec` runs, and how. Fails with USAGE. */
export function readExecRequest(
  call: Pick<Call, 'command' | 'options' | 'json' | 'host'>,
  { stdin, stdout }: Streams,
): ExecRequest & { readonly stdin: boolean } {
  const isTerminal = wantsTerminal(call, stdin.isTTY === true, stdout.isTTY === true)
  const { interactive } = call.options
  const user = textOption(call, 'user')
  const workingDir = readWorkingDir(call)
  return {
    command: call.command,
    environment: readVariables(call),
    stdin: interactive === true || (isTerminal && interactive !== false),
    tty: isTerminal ? { rows: stdout.rows ?? 24, columns: stdout.columns ?? 80 } : undefined,
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
  }
}

function wantsTerminal(
  { options, json }: Pick<Call, 'options' | 'json'>,
  isInput: boolean,
  isOutput: boolean,
): boolean {
  const { tty, interactive } = options
  if (tty !== true) return tty !== false && interactive !== false && isInput && isOutput && !json
  if (json) throw new TestfleetError('USAGE', '--tty cannot go with --json')
  if (isInput && isOutput) return true
  const stream = isInput ? 'output' : 'input'
  throw new TestfleetError('USAGE', `--tty needs a terminal, and standard ${stream} is not one`, {
    hint: 'Omit -t; -i alone passes on standard input.',
  })
}

function readWorkingDir(call: Pick<Call, 'options'>): string | undefined {
  const folder = textOption(call, 'workdir')
  if (folder === undefined || isContainerPath(folder)) return folder
  throw new TestfleetError('USAGE', `--workdir takes an absolute path in the server, not ${JSON.stringify(folder)}`)
}

/** As with the docker command, a name alone passes on the caller's variable, or nothing if it is not set. */
function readVariables({ options, host }: Pick<Call, 'options' | 'host'>): Record<string, string> {
  const given = [options.env ?? []].flat().map(String)
  return Object.fromEntries(
    given.flatMap((text) => {
      const at = text.indexOf('=')
      const name = at === -1 ? text : text.slice(0, at)
      if (!PROCESS_VARIABLE.test(name) || !hasNoNul(text))
        throw new TestfleetError('USAGE', `--env takes NAME=VALUE or NAME, not ${JSON.stringify(text)}`)
      const value = at === -1 ? host.environment[name] : text.slice(at + 1)
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
}
