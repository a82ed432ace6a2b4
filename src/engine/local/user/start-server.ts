import type { Socket } from 'node:net'
import { lastWords, type Machine, startProgram } from '../programs.ts'
import type { Server } from './link.ts'

/** Longest part of what the server says on standard error that is kept. */
const MOST_WORDS = 4000

/** Starts a program of Node that serves an engine on its standard streams (`serveEngine`). It ends with this process. */
export function startServer(
  machine: Machine,
  words: readonly [node: string, ...words: string[]],
  environment: Readonly<Record<string, string | undefined>>,
): Server {
  const [node, ...rest] = words
  const known = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const child = startProgram(machine, node, rest, ['pipe', 'pipe', 'pipe'], { environment: Object.fromEntries(known) })
  const [input, output, errors] = [child.stdin, child.stdout, child.stderr] as unknown as [Socket, Socket, Socket]
  let said = ''
  errors.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MOST_WORDS)
  })
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(said === '' ? `it ended with ${signal ?? code}` : lastWords(said)))
  })
  return {
    input,
    output,
    ended,
    keepAwake(isNeeded) {
      for (const one of [child, input, output, errors]) isNeeded ? one.ref() : one.unref()
    },
  }
}
