import { TestfleetError } from '../../model/failures.ts'
import type { EngineLocation } from '../engine.ts'
import { wordsOf } from './explain-ping.ts'
import type { Answer, Upgraded } from './transport.ts'

/** Both ends of a process's standard streams. */
export interface Attached {
  readonly bytes: AsyncGenerator<Buffer, void, void>
  write(bytes: Uint8Array): void
  endInput(): void
}

/** Output alone. */
export function attachStream(answer: Answer): Attached {
  return {
    bytes: answer.body,
    write() {
      throw new TypeError('the process was started without standard input')
    },
    endInput() {},
  }
}

/** A connection that was handed over: input goes in as it is, output comes out. */
export function attachConnection(
  { connection, head }: Upgraded,
  location: EngineLocation,
  signal: AbortSignal | undefined,
): Attached {
  // What is written after the process has ended has nobody to go to; why the connection broke is told where it is read.
  connection.on('error', () => {})
  if (head.length > 0) connection.unshift(head)
  return {
    bytes: readConnection(),
    write: (bytes) => void (connection.writable && connection.write(bytes)),
    endInput: () => void connection.end(),
  }

  async function* readConnection(): Attached['bytes'] {
    try {
      for await (const chunk of connection) yield chunk as Buffer
    } catch (error) {
      if (!signal?.aborted) throw error instanceof TestfleetError ? error : lost(location, error as Error)
    } finally {
      connection.destroy()
    }
    signal?.throwIfAborted()
  }
}

function lost(location: EngineLocation, error: Error): TestfleetError {
  const message = `the connection to the engine at ${location.url} broke: ${wordsOf(error)}`
  return new TestfleetError('ENGINE_LOST', message, { cause: error })
}
