import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What this process is asked for: one call at a time. */
export interface WarmCall {
  readonly words: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export type WarmMessage =
  | { readonly stream: 'stdout' | 'stderr'; readonly chunk: Uint8Array }
  | { readonly exitCode: number }

const [mainFile = ''] = process.argv.slice(2)
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/testfleet-commands'))
const { runCall }: typeof import('../../src/cli/run-call.ts') = await import(findRunCall(mainFile))

for (const stream of ['stdout', 'stderr'] as const) process[stream].write = write.bind(undefined, stream)
process.on('disconnect', () => process.exit())
process.on('message', async ({ words, cwd, env }: WarmCall) => {
  for (const name of Object.keys(process.env)) delete process.env[name]
  for (const [name, value] of Object.entries(env)) if (value !== undefined) process.env[name] = value
  process.chdir(cwd)
  const exitCode = await runCall(words).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    return 1
  })
  send({ exitCode })
})

/** In place of the write of a stream, as a pipe that takes everything at once. */
function write(
  stream: 'stdout' | 'stderr',
  chunk: Uint8Array | string,
  encoding?: BufferEncoding | ((error?: Error | null) => void),
  done?: (error?: Error | null) => void,
): boolean {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk
  send({ stream, chunk: bytes })
  const onWritten = typeof encoding === 'function' ? encoding : done
  if (onWritten !== undefined) process.nextTick(onWritten)
  return true
}

function send(message: WarmMessage): void {
  process.send?.(message)
}

/** The code below the command, which the built one keeps under a name of its own. */
function findRunCall(main: string): string {
  if (main.endsWith('.ts')) return new URL('run-call.ts', pathToFileURL(main)).href
  const built = new URL('main.js', pathToFileURL(main))
  const [, chunk] = /import\("([^"]*\/run-call-[^"]*)"\)/.exec(readFileSync(built, 'utf8')) ?? []
  if (chunk === undefined) throw new Error(`${built} does not import run-call`)
  return new URL(chunk, built).href
}
