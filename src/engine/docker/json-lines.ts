import { StringDecoder } from 'node:string_decoder'
import { asRecord } from './docker-config.ts'
import type { WireProgress } from './wire.ts'

/** One JSON object a line, as pulls and builds answer. What is no JSON is passed over: some engines send empty lines. */
export async function* readProgress(chunks: AsyncIterable<Buffer>): AsyncGenerator<WireProgress, void, void> {
  for await (const line of readLines(chunks)) {
    const value = parseLine(line)
    if (value !== undefined) yield value
  }
}

async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8')
  let pending = ''
  for await (const chunk of chunks) {
    const lines = decoder.write(chunk).split('\n')
    lines[0] = pending + (lines[0] ?? '')
    pending = lines.pop() ?? ''
    yield* lines
  }
  yield pending + decoder.end()
}

function parseLine(line: string): WireProgress | undefined {
  if (line.trim() === '') return undefined
  try {
    return asRecord(JSON.parse(line)) as WireProgress
  } catch {
    return undefined
  }
}

/** The message of a line that says that all of it failed; undefined for any other line. */
export function errorIn(line: WireProgress): string | undefined {
  if (line.errorDetail?.message) return line.errorDetail.message
  if (typeof line.error === 'string' && line.error !== '') return line.error
  return line.errorDetail || line.error ? 'the engine does not say why' : undefined
}
