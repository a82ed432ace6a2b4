import type { Runtime } from '../runtime/runtime.ts'

/** A script is short. Of a longer program, only its beginning is wanted, and the archive is not read. */
const MAX_PROGRAM_BYTES = 1024 * 1024
const TAR_HEADER_BYTES = 512
const LOOK_MS = 2000

/** What the kernel's refusal to run a program looks like in a log (runc 1.0 to 1.2; the init of Docker). */
const REFUSAL = /exec (\/\S+?)(?: failed)?: (exec format error|no such file or directory|permission denied)/i

/** Says why the kernel did not run the server's program, by the program's own first line; undefined when it did. */
export async function explainScript(
  lines: readonly string[],
  { runtime, containerId }: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const [, path, refusal] = lines.map((line) => REFUSAL.exec(line)).find((found) => found !== null) ?? []
  if (path === undefined || refusal === undefined) return undefined
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const archive = await runtime
    .fetch(containerId, path, MAX_PROGRAM_BYTES, { signal: patience })
    .catch(() => new Uint8Array())
  signal.throwIfAborted()
  const start = Buffer.from(archive).subarray(TAR_HEADER_BYTES, TAR_HEADER_BYTES + 256)
  return wordScript(path, refusal.toLowerCase(), start)
}

export function wordScript(path: string, refusal: string, start: Buffer): string {
  const [line = ''] = start.toString('latin1').split('\n')
  const interpreter = /^#!\s*(\S+)/.exec(line)?.[1]
  if (line.startsWith('#!') && line.endsWith('\r')) {
    return `The lines of ${path} end in CR LF: save it with LF alone (\`.gitattributes\`: \`*.sh text eol=lf\`).`
  }
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
