import type { OutputChunk } from '../../../model/container.ts'
import { runProgram, type StartedProgram } from '../programs.ts'
import type { Local } from '../types.ts'
import { mergeOutput } from './merge-output.ts'

/** The terminal of a command, which `script` has opened on this machine. */
export interface Terminal {
  /** Resolves when the terminal takes input, or when it has ended. */
  readonly ready: Promise<void>
  output(): AsyncGenerator<OutputChunk, void, void>
  /** No effect after its end. */
  resize(rows: number, columns: number): Promise<void>
}

const NEW_LINE = 0x0a
const MOST_PATH_BYTES = 200

export function openTerminal({ machine }: Local, { stdout, stderr, stdin }: StartedProgram): Terminal {
  const opened = Promise.withResolvers<string | undefined>()
  stdout?.once('close', () => opened.resolve(undefined))
  const merged = mergeOutput({ stdout, stderr })
  let header = Buffer.alloc(0)
  let isOpen = false
  const first = (async (): Promise<OutputChunk | undefined> => {
    for (;;) {
      const { done, value } = await merged.next()
      if (done) break
      header = Buffer.concat([header, value.bytes])
      const end = header.indexOf(NEW_LINE)
      if (end === -1 && header.length < MOST_PATH_BYTES) continue
      const path = header.toString('latin1', 0, Math.max(0, end)).trim()
      isOpen = path.startsWith('/dev/')
      opened.resolve(isOpen ? path : undefined)
      return { stream: 'stdout', bytes: isOpen ? header.subarray(end + 1) : header }
    }
    opened.resolve(undefined)
    return { stream: 'stdout', bytes: header }
  })()
  first.catch(() => {})
  return {
    ready: opened.promise.then(() => {}),
    async *output() {
      try {
        const rest = await first
        if (rest !== undefined && rest.bytes.length > 0) yield rest
        for await (const { bytes } of merged) yield { stream: 'stdout', bytes }
      } finally {
        stdin?.destroy()
      }
    },
    async resize(rows, columns) {
      const path = await opened.promise
      if (path === undefined) return
      await runProgram(machine, 'stty', { arguments: ['-F', path, 'rows', String(rows), 'cols', String(columns)] })
    },
  }
}
