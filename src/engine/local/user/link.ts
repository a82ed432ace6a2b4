import type { Readable, Writable } from 'node:stream'
import { TestfleetError } from '../../../model/failures.ts'
import { type CallExtras, RemoteCall } from './call.ts'
import { encodeMessage, openDecoder, type Reply, type Request } from './messages.ts'

/** A running process that serves an engine on its standard streams. */
export interface Server {
  readonly input: Writable
  readonly output: Readable
  /** Resolves when it has ended, with what it said of that. */
  readonly ended: Promise<string>
  /** Whether this process stays until the server has ended. */
  keepAwake(isNeeded: boolean): void
}

/** Calls to an engine in another process. */
export interface Link {
  /** Resolves once the server answers; ENGINE_LOST when it has ended first. */
  readonly ready: Promise<void>
  /** Begins a call. Sends nothing until `start`. */
  open(extras: CallExtras): RemoteCall
  /** False once the process has ended: then every call fails with ENGINE_LOST. */
  readonly isAlive: boolean
  close(): void
}

export function openLink(server: Server): Link {
  const calls = new Map<number, RemoteCall>()
  const decode = openDecoder<Reply>()
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {})
  let lost: TestfleetError | undefined
  let last = 0
  const lose = (why: string): void => {
    lost ??= new TestfleetError('ENGINE_LOST', `the process of the local engine ended: ${why}`)
    ready.reject(lost)
    for (const call of calls.values()) call.fail(lost)
  }
  const send = (message: Request): void => {
    if (lost === undefined) server.input.write(encodeMessage(message))
  }
  const forget = (id: number): void => {
    calls.delete(id)
    if (calls.size === 0) server.keepAwake(false)
  }
  server.input.on('error', () => {})
  server.output.on('data', (chunk: Buffer) => {
    try {
      for (const reply of decode(chunk)) {
        if (reply.kind === 'ready') ready.resolve()
        else calls.get(reply.id)?.receive(reply)
      }
    } catch (error) {
      lose((error as Error).message)
      server.input.destroy()
    }
  })
  void server.ended.then(lose)
  server.keepAwake(false)
  return {
    ready: ready.promise,
    open(extras) {
      const call = new RemoteCall(++last, extras, send, forget)
      if (calls.size === 0) server.keepAwake(true)
      calls.set(last, call)
      if (lost !== undefined) call.fail(lost)
      return call
    },
    get isAlive() {
      return lost === undefined
    },
    close: () => server.input.end(),
  }
}
