import { deserialize, serialize } from 'node:v8'
import { TestfleetError } from '../../../model/failures.ts'
import type { WireFailure } from './wire-failure.ts'

/** From the caller to the engine inside the namespaces. `id` is the number of a call; the caller chooses it. */
export type Request =
  | {
      readonly kind: 'call'
      readonly id: number
      readonly method: string
      /** Without the stream, the callback and the options of the call. */
      readonly words: readonly unknown[]
      readonly timeoutMs: number | undefined
    }
  | { readonly kind: 'abort'; readonly id: number }
  /** The caller's own stream, such as the context of a build: a part of it, its end, or that it failed. */
  | { readonly kind: 'input'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'inputEnd'; readonly id: number }
  | { readonly kind: 'inputFailure'; readonly id: number }
  /** The caller has room for another item. */
  | { readonly kind: 'more'; readonly id: number }
  /** The caller reads no further item. */
  | { readonly kind: 'stop'; readonly id: number }
  /** Of a command: nobody reads its output. */
  | { readonly kind: 'drain'; readonly id: number }
  /** Of a command: input, its end, or a new size of its terminal. Each is answered with its `number`. */
  | {
      readonly kind: 'tell'
      readonly id: number
      readonly number: number
      readonly what: 'write' | 'endInput' | 'resize'
      readonly value: unknown
    }

/** From the engine inside the namespaces to the caller. */
export type Reply =
  | { readonly kind: 'ready' }
  /** The last message of a call, unless a command began: then the message `exit` is the last one. */
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: WireFailure }
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  /** There is room for another part of the caller's stream. */
  | { readonly kind: 'want'; readonly id: number }
  | { readonly kind: 'item'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'itemsEnd'; readonly id: number; readonly failure?: WireFailure }
  | { readonly kind: 'told'; readonly id: number; readonly number: number; readonly failure?: WireFailure }
  | { readonly kind: 'exit'; readonly id: number; readonly code?: number; readonly failure?: WireFailure }

/** Longest message. What may be longer is sent as a stream. */
const MOST_BYTES = 32 << 20

const HEADER_BYTES = 4

/** Returns a message as it is sent: the number of its bytes, then a structured clone. ENGINE_REFUSED when it is too long. */
export function encodeMessage(message: Request | Reply): Buffer {
  const body = serialize(message)
  if (body.length > MOST_BYTES) throw tooLong(body.length)
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(body.length)
  return Buffer.concat([header, body])
}

/** Returns a function that takes bytes as they arrive, and returns the messages that are complete. */
export function openDecoder<Message extends Request | Reply>(): (chunk: Buffer) => readonly Message[] {
  let parts: Buffer[] = []
  let bytes = 0
  let wanted = HEADER_BYTES
  let isHeader = true
  return (chunk) => {
    parts.push(chunk)
    bytes += chunk.length
    if (bytes < wanted) return []
    const messages: Message[] = []
    let rest = Buffer.concat(parts)
    while (rest.length >= wanted) {
      const part = rest.subarray(0, wanted)
      rest = rest.subarray(wanted)
      if (isHeader) {
        wanted = part.readUInt32BE()
        if (wanted > MOST_BYTES) throw tooLong(wanted)
      } else {
        messages.push(deserialize(part) as Message)
        wanted = HEADER_BYTES
      }
      isHeader = !isHeader
    }
    parts = [rest]
    bytes = rest.length
    return messages
  }
}

function tooLong(bytes: number): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `an answer of the local engine is too long (${bytes} bytes)`)
}
