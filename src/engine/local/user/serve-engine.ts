import { Readable, type Writable } from 'node:stream'
import { TestfleetError } from '../../../model/failures.ts'
import { onAbort } from '../../../model/on-abort.ts'
import type { CallOptions, Engine, ExecProcess, ExecRequest } from '../../engine.ts'
import type { BuildRequest, PullRequest } from '../../image-types.ts'
import { type Inbox, openInbox, openRoom, type Room, splitBytes } from './flow.ts'
import { encodeMessage, openDecoder, type Reply, type Request } from './messages.ts'
import { plainMethods, streamMethods } from './methods.ts'
import { encodeFailure } from './wire-failure.ts'

/** A call that this process carries out. */
interface ServedCall {
  readonly id: number
  readonly abort: AbortController
  readonly room: Room
  /** The stream of the caller. */
  readonly input: Inbox<Uint8Array>
  process?: ExecProcess
  /** Set once somebody reads the output of a command, or nobody ever will. */
  readonly onRead: PromiseWithResolvers<'read' | 'drain'>
  isStopped: boolean
}

/**
 * Carries out the calls that arrive on `input`, and answers on `output`. Resolves when the input has ended, and every call
 * that was under way has been aborted and is over.
 */
export async function serveEngine(engine: Engine, input: Readable, output: Writable): Promise<void> {
  const calls = new Map<number, ServedCall>()
  const running = new Set<Promise<void>>()
  const send = (reply: Reply): void => {
    if (output.writable) output.write(encodeMessage(reply))
  }
  const decode = openDecoder<Request>()
  output.on('error', () => input.destroy())
  send({ kind: 'ready' })
  try {
    for await (const chunk of input)
      for (const request of decode(chunk as Buffer)) {
        if (request.kind !== 'call') {
          const call = calls.get(request.id)
          if (call !== undefined) receive(call, request, send)
          continue
        }
        const call = openServed(request.id, send)
        calls.set(request.id, call)
        const work = carryOut(engine, call, request, send).finally(() => {
          calls.delete(request.id)
          running.delete(work)
        })
        running.add(work)
      }
  } catch {
    // The caller is gone.
  }
  for (const { abort } of calls.values()) abort.abort(aborted())
  await Promise.all(running)
}

/** Each call has a reason of its own: an engine notes in it what could not be ended. */
const aborted = (): TestfleetError => new TestfleetError('CANCELLED', 'the caller has aborted the call')

function openServed(id: number, send: (reply: Reply) => void): ServedCall {
  const input = openInbox<Uint8Array>(
    () => send({ kind: 'want', id }),
    async () => {},
  )
  const onRead = Promise.withResolvers<'read' | 'drain'>()
  return { id, abort: new AbortController(), room: openRoom(), input, onRead, isStopped: false }
}

function receive(call: ServedCall, request: Exclude<Request, { kind: 'call' }>, send: (reply: Reply) => void): void {
  const { kind } = request
  if (kind === 'abort') call.abort.abort(aborted())
  else if (kind === 'input') call.input.push(request.bytes)
  else if (kind === 'inputEnd') call.input.end()
  else if (kind === 'inputFailure') call.input.fail(new Error('the stream of the caller failed'))
  else if (kind === 'drain') call.onRead.resolve('drain')
  else if (kind === 'tell') void tell(call, request, send)
  else if (kind === 'more') {
    call.onRead.resolve('read')
    call.room.grant()
  } else {
    call.isStopped = true
    call.room.close()
    call.abort.abort(aborted())
  }
}

async function tell(
  { id, process }: ServedCall,
  { number, what, value }: Request & { kind: 'tell' },
  send: (reply: Reply) => void,
): Promise<void> {
  try {
    if (what === 'write') await process?.write(value as Uint8Array)
    else if (what === 'endInput') process?.endInput()
    else await process?.resize(...(value as [number, number]))
    send({ kind: 'told', id, number })
  } catch (error) {
    send({ kind: 'told', id, number, failure: encodeFailure(error) })
  }
}

async function carryOut(
  engine: Engine,
  call: ServedCall,
  request: Request & { kind: 'call' },
  send: (reply: Reply) => void,
): Promise<void> {
  const { id } = call
  try {
    const value = await answer(engine, call, request, send)
    if (request.method !== 'exec') send({ kind: 'result', id, value })
  } catch (error) {
    send({ kind: 'failure', id, failure: encodeFailure(error) })
  }
}

/** Carries out one call. Every method is one of the lists, or has its own case. */
async function answer(
  engine: Engine,
  call: ServedCall,
  { method, words, timeoutMs }: Request & { kind: 'call' },
  send: (reply: Reply) => void,
): Promise<unknown> {
  const options: CallOptions = { signal: call.abort.signal, timeoutMs }
  const [first, second, third] = words as [string, string, unknown]
  const onProgress = (value: unknown): void => send({ kind: 'progress', id: call.id, value })
  const invoke = (name: string): unknown =>
    (engine[name as keyof Engine] as (...all: unknown[]) => unknown)(...words, options)
  switch (method) {
    case 'getArchive':
      return sendItems(call, partsOf(await engine.getArchive(first, second, third as number, options)), send)
    case 'putArchive': {
      const stream = Readable.from(call.input.read())
      return engine.putArchive(first, second, third === true ? stream : await readAll(stream), options)
    }
    case 'loadImages':
      return engine.loadImages(Readable.from(call.input.read()), options)
    case 'buildImage': {
      const build = words[0] as Omit<BuildRequest, 'context'>
      return engine.buildImage({ ...build, context: Readable.from(call.input.read()), onProgress }, options)
    }
    case 'pullImage':
      return engine.pullImage(first, { ...(words[1] as PullRequest), onProgress }, options)
    case 'exec':
      return runCommand(call, await engine.exec(first, words[1] as ExecRequest, options), send)
  }
  if (method in plainMethods) return invoke(method)
  if (method in streamMethods) return sendItems(call, invoke(method) as AsyncIterable<unknown>, send)
  throw new Error(`there is no method ${method}`)
}

/** Sends a command's output once it is read, and then its exit code. */
async function runCommand(call: ServedCall, process: ExecProcess, send: (reply: Reply) => void): Promise<void> {
  const { id, abort } = call
  call.process = process
  send({ kind: 'result', id, value: undefined })
  const stopListening = onAbort(abort.signal, () => call.onRead.resolve('drain'))
  try {
    if ((await call.onRead.promise) === 'read') await sendItems(call, process.output, send)
    send({ kind: 'exit', id, code: await process.exitCode() })
  } catch (error) {
    const failure = encodeFailure(error)
    send({ kind: 'itemsEnd', id, failure })
    send({ kind: 'exit', id, failure })
  } finally {
    stopListening()
  }
}

/** Sends items as the caller has room for them. */
async function sendItems(
  call: ServedCall,
  items: AsyncIterable<unknown> | Iterable<unknown>,
  send: (reply: Reply) => void,
): Promise<void> {
  const { id, room } = call
  try {
    for await (const item of items) {
      for (const value of splitItem(item)) {
        if (!(await room.take())) break
        send({ kind: 'item', id, value })
      }
      if (call.isStopped) break
    }
    send({ kind: 'itemsEnd', id })
  } catch (error) {
    send({ kind: 'itemsEnd', id, failure: encodeFailure(error) })
    throw error
  }
}

function* splitItem(item: unknown): Generator<unknown> {
  const chunk = item as { readonly bytes?: unknown }
  if (item instanceof Uint8Array) yield* splitBytes(item)
  else if (chunk.bytes instanceof Uint8Array) for (const bytes of splitBytes(chunk.bytes)) yield { ...chunk, bytes }
  else yield item
}

function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  yield* splitBytes(bytes)
}

async function readAll(stream: Readable): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part as Uint8Array)
  return Buffer.concat(parts)
}
