import { TestfleetError } from '../../model/failures.ts'
import type { EngineLocation, ExecProcess } from '../engine.ts'
import type { HttpResponse, UpgradedConnection } from './connection.ts'
import { wordsOf } from './errors.ts'

/** Both ends of a process's standard streams. */
export interface Attached extends Pick<ExecProcess, 'write' | 'endInput'> {
  readonly bytes: AsyncGenerator<Buffer, void, void>
}

/** Attaches to the output alone. */
export function attachOutput({ body }: HttpResponse): Attached {
  return {
    bytes: body,
    write() {
      throw new TypeError('the process was started without standard input')
    },
    endInput() {},
  }
}

/** Attaches to a connection that was handed over: input goes in as it is, output comes out. */
export function attachConnection(
  { socket, head }: UpgradedConnection,
  location: EngineLocation,
  signal: AbortSignal | undefined,
): Attached {
  // The reader reports why the connection broke. Input for a process that has ended is dropped.
  socket.on('error', () => {})
  if (head.length > 0) socket.unshift(head)
  let draining: Promise<void> | undefined
  return {
    bytes: readSocket(),
    async write(bytes) {
      if (!socket.writable || socket.write(bytes)) return
      draining ??= new Promise<void>((resolve) => {
        const done = (): void => {
          draining = undefined
          socket.off('drain', done).off('close', done)
          resolve()
        }
        socket.on('drain', done).on('close', done)
      })
      await draining
    },
    endInput: () => void socket.end(),
  }

  async function* readSocket(): Attached['bytes'] {
    try {
      for await (const chunk of socket) yield chunk as Buffer
    } catch (error) {
      if (!signal?.aborted) throw error instanceof TestfleetError ? error : lost(location, error as Error)
    } finally {
      socket.destroy()
    }
    signal?.throwIfAborted()
  }
}

function lost(location: EngineLocation, error: Error): TestfleetError {
  const message = `the connection to the engine at ${location.url} broke: ${wordsOf(error)}`
  return new TestfleetError('ENGINE_LOST', message, { cause: error })
}
