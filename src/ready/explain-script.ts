import type { Runtime } from '../runtime/runtime.ts'

/** A script is short. Only the beginning of a longer program is needed, and the archive is not read further. */
const MAX_PROGRAM_BYTES = 1024 * 1024
const TAR_HEADER_BYTES = 512
/** Place of the mode in the header, in octal digits (tar(5)). */
const MODE_AT = 100
const START_BYTES = 4096
const LOOK_MS = 2000

/** The kernel's refusal to run a program, as it appears in a log (runc 1.0 to 1.2; Docker's init). */
const REFUSAL = /exec (\/\S+?)(?: failed)?: (exec format error|no such file or directory|permission denied)/i

/** The same in the words of a shell (dash, bash, busybox). */
const SHELL_REFUSAL =
  /^\S+: (?:line )?\d+: (?:exec: )?(\/[^\s:]+): (?:cannot execute[^:]*: )?(exec format error|not found|permission denied)/i

/** Start of a shell's message about a line of a script (dash, bash, busybox). */
const AT_LINE = /^(\/[^\s:]+): (?:line )?\d+: /
/** How `env` reports that there is no such program. GNU's env shows control characters as escapes. */
const ENV = /^(?:\/usr\/bin\/)?env: (?:can't execute )?[‘'"]?([^’'":\s]+)[’'"]?: No such file or directory/

/** Explains, by its first line, why a script or program did not run. Undefined when that shows nothing. */
export async function explainScript(
  lines: readonly string[],
  subject: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const missing = findMatch(lines, ENV)?.[1]
  if (missing?.endsWith('\\r')) return wordCrLf('its script')
  if (missing !== undefined) return `Its script begins with #!/usr/bin/env ${missing}, and the image has no ${missing}.`
  const [, path, refusal] = findMatch(lines, REFUSAL) ?? findMatch(lines, SHELL_REFUSAL) ?? []
  if (path !== undefined && refusal !== undefined) {
    const program = await readProgram(path, subject, signal)
    // A shell says the same about a file that it may not write to.
    const isFile = /permission denied/i.test(refusal) && !REFUSAL.test(lines.join('\n'))
    if (!isFile || (program.start.length > 0 && !program.isExecutable))
      return wordScript(path, refusal.toLowerCase().replace(/^not found$/, 'no such file or directory'), program.start)
  }
  const script = findMatch(lines, AT_LINE)?.[1]
  if (script === undefined) return undefined
  const { start } = await readProgram(script, subject, signal)
  return start.includes('\r\n') ? wordCrLf(script) : undefined
}

function findMatch(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  return lines.map((line) => pattern.exec(line)).find((found) => found !== null) ?? undefined
}

function wordCrLf(what: string): string {
  return `The lines of ${what} end in CR LF: save it with LF alone (\`.gitattributes\`: \`*.sh text eol=lf\`).`
}

interface Program {
  /** Empty for a file that cannot be read in time. */
  readonly start: Buffer
  readonly isExecutable: boolean
}

async function readProgram(
  path: string,
  { runtime, containerId }: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<Program> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const archive = await runtime
    .fetch(containerId, path, MAX_PROGRAM_BYTES, { signal: patience })
    .catch(() => new Uint8Array())
  signal.throwIfAborted()
  const bytes = Buffer.from(archive)
  const mode = Number.parseInt(bytes.toString('latin1', MODE_AT, MODE_AT + 7), 8)
  return {
    start: bytes.subarray(TAR_HEADER_BYTES, TAR_HEADER_BYTES + START_BYTES),
    isExecutable: (mode & 0o111) !== 0,
  }
}

export function wordScript(path: string, refusal: string, start: Buffer): string {
  const [line = ''] = start.toString('latin1').split('\n')
  const interpreter = /^#!\s*(\S+)/.exec(line)?.[1]
  if (line.startsWith('\xef\xbb\xbf#!'))
    return `${path} begins with a byte order mark before its #!: save it as UTF-8 without one.`
  if (line.startsWith('#!') && line.endsWith('\r')) return wordCrLf(path)
  if (refusal === 'permission denied') return `${path} may not be executed: give it \`mode: "0755"\` in \`copy\`.`
  if (interpreter !== undefined) return `${path} begins with #!${interpreter}, and the image has no ${interpreter}.`
  if (start.toString('latin1', 0, 4) === '\x7fELF') {
    return refusal === 'exec format error'
      ? `${path} is a program for another kind of processor: build it for the image's platform, or set \`platform\`.`
      : `${path} needs a loader or libraries that the image lacks: link it statically, or use the image that it was built in.`
  }
  if (refusal === 'exec format error')
    return `${path} is no program, or a script without a first line such as #!/bin/sh.`
  return `${path} or what it needs to run is not in the image.`
}
