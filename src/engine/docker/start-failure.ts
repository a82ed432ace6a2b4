import { TestfleetError } from '../../model/failures.ts'
import type { Refusal } from './refusal.ts'

/** Why a container did not start, read from the engine's words: it has one status for all of it. */
export function explainStart({ status, words }: Refusal): TestfleetError | undefined {
  if (status === 404) return undefined
  const port = takenPort(words)
  if (port !== undefined) {
    return new TestfleetError('PORT_TAKEN', `something else has the port already: ${port}`, { cause: words })
  }
  const missing = missingProgram(words)
  if (missing !== undefined) return commandNotFound(missing, words)
  return new TestfleetError('START_FAILED', `the container could not be started: ${shorten(words)}`, {
    hint: hintFor(words),
    cause: words,
  })
}

/**
 * Docker 20.10 to 27: `Bind for 127.0.0.1:80 failed: port is already allocated` for a port of another container,
 * `listen tcp4 127.0.0.1:80: bind: address already in use` for another process. 28 and up: `failed to bind host port
 * 127.0.0.1:80/tcp: address already in use`. Podman 4.3: `listen tcp 127.0.0.1:80: bind: address already in use`.
 */
export function takenPort(words: string): string | undefined {
  if (!/port is already allocated|address already in use/i.test(words)) return undefined
  return /(?:bind for|listen (?:tcp|udp|sctp)[46]?|bind (?:host )?port(?: for)?) ((?:\[[^\]]*\]|[^\s:[\]]*):\d{1,5})/i.exec(
    words,
  )?.[1]
}

/**
 * runc: `exec: "x": executable file not found in $PATH`, `exec: "/x": stat /x: no such file or directory`, `exec: "/x":
 * permission denied`. crun: `executable file `x` not found in $PATH`.
 */
export function missingProgram(words: string): string | undefined {
  const runc =
    /exec: "((?:[^"\\]|\\.)*)": (?:executable file not found|stat [^\n]*?: no such file|no such file|permission denied|is a directory)/i.exec(
      words,
    )
  const crun = /executable file `?([^`\s]+)`? not found in \$PATH/i.exec(words)
  return runc?.[1] ?? crun?.[1]
}

export function commandNotFound(program: string, words: string): TestfleetError {
  const why = /permission denied/i.test(words) ? 'cannot be executed' : 'does not exist in the image'
  return new TestfleetError('COMMAND_NOT_FOUND', `the program "${program}" ${why}`, {
    hint: 'A command is a list: the program, then each of its arguments. It is found on the PATH of the image.',
    cause: words,
  })
}

/** From `failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: x`, x. */
function shorten(words: string): string {
  return words
    .replace(/^.*unable to start container process: /s, '')
    .replace(
      /^(?:failed to create (?:shim task|task for container): )?OCI runtime create failed: (?:runc create failed: )?/,
      '',
    )
    .replace(/^.*failed programming external connectivity on endpoint \S+ \(\w+\): /s, '')
    .replace(/: unknown$/, '')
}

function hintFor(words: string): string | undefined {
  if (/bind: permission denied|cannot expose privileged port|ip_unprivileged_port_start/i.test(words)) {
    return 'This engine may not open ports below 1024 of the host: use a higher one.'
  }
  if (/cannot assign requested address/i.test(words))
    return 'The address to publish the port at is not one of the host.'
  if (/network \S+ not found/i.test(words)) return 'Its network was removed in the meantime: run the command again.'
  return undefined
}
