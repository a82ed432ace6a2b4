import { StringDecoder } from 'node:string_decoder'
import { TestfleetError } from '../../model/failures.ts'
import type { Maybe } from './client.ts'
import { asRecord } from './docker-config.ts'

/** One line of the answer to a pull or a build. */
export interface ProgressJson {
  readonly id?: Maybe<string>
  readonly status?: Maybe<string>
  readonly stream?: Maybe<string>
  readonly progressDetail?: Maybe<{ readonly current?: Maybe<number>; readonly total?: Maybe<number> }>
  readonly aux?: unknown
  readonly error?: unknown
  readonly errorDetail?: Maybe<{ readonly message?: Maybe<string>; readonly code?: Maybe<number> }>
}

/** The longest line that was seen, of BuildKit's output, has less than 100 KB. */
const maxLineLength = 16 * 1024 * 1024

/**
 * Reads one JSON object a line. Ignores what is not JSON: some engines send empty lines. Fails with ENGINE_REFUSED for a
 * line that is too long to be kept.
 */
export async function* readProgress(chunks: AsyncIterable<Buffer>): AsyncGenerator<ProgressJson, void, void> {
  for await (const line of readLines(chunks)) {
    const value = readJsonLine(line)
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
    if (pending.length > maxLineLength) {
      throw new TestfleetError(
        'ENGINE_REFUSED',
        `a line of the engine's answer has more than ${maxLineLength} characters`,
      )
    }
  }
  yield pending + decoder.end()
}

export function readJsonLine(line: string): ProgressJson | undefined {
  if (line.trim() === '') return undefined
  try {
    return asRecord(JSON.parse(line)) as ProgressJson
  } catch {
    return undefined
  }
}

/** The message of a line that reports that the whole pull or build failed; undefined for any other line. */
export function errorIn(line: ProgressJson): string | undefined {
  if (line.errorDetail?.message) return line.errorDetail.message
  if (typeof line.error === 'string' && line.error !== '') return line.error
  return line.errorDetail || line.error ? 'the engine does not say why' : undefined
}
