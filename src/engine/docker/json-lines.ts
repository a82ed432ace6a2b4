import { TestfleetError } from '../../model/failures.ts'
import { LineReader } from '../output-text.ts'
import type { Maybe } from './client.ts'
import { asRecord } from './docker-config.ts'

/** A line of the answer to a pull or a build. */
export interface ProgressJson {
  readonly id?: Maybe<string>
  readonly status?: Maybe<string>
  readonly stream?: Maybe<string>
  readonly progressDetail?: Maybe<{ readonly current?: Maybe<number>; readonly total?: Maybe<number> }>
  readonly aux?: unknown
  readonly error?: unknown
  readonly errorDetail?: Maybe<{ readonly message?: Maybe<string>; readonly code?: Maybe<number> }>
}

/** Longest line seen in BuildKit's output: less than 100 KB. */
const maxLineLength = 16 * 1024 * 1024

/**
 * Reads one JSON object a line. Ignores other lines: some engines send empty ones. Fails with ENGINE_REFUSED for a line
 * that is too long.
 */
export async function* readJsonLines<Json extends object = ProgressJson>(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Json, void, void> {
  const reader = new LineReader({ length: maxLineLength + 1, keeps: 'start' })
  for await (const chunk of chunks) {
    yield* reader.read(chunk).flatMap((line) => readJsonLine<Json>(line) ?? [])
    if (reader.rest.length > maxLineLength) {
      const message = `a line of the engine's answer has more than ${maxLineLength} characters`
      throw new TestfleetError('ENGINE_REFUSED', message)
    }
  }
  yield* [readJsonLine<Json>(reader.rest)].filter((value) => value !== undefined)
}

export function readJsonLine<Json extends object = ProgressJson>(line: string): Json | undefined {
  try {
    return asRecord(JSON.parse(line)) as Json
  } catch {
    return undefined
  }
}

/** Returns the message of a line that reports a failed pull or build; undefined for any other line. */
export function errorIn(line: ProgressJson): string | undefined {
  if (line.errorDetail?.message) return line.errorDetail.message
  if (typeof line.error === 'string' && line.error !== '') return line.error
  return line.errorDetail || line.error ? 'the engine does not say why' : undefined
}
