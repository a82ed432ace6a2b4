import { Readable } from 'node:stream'
import type { OutputChunk } from '../../../model/container.ts'
import { untilAborted } from '../../../model/until-aborted.ts'
import type { CallOptions, Engine, EngineLocation, ExecProcess, ExecRequest } from '../../engine.ts'
import type { CallExtras, RemoteCall } from './call.ts'
import type { Link } from './link.ts'
import { type PlainMethod, plainMethods, type StreamMethod, streamMethods } from './methods.ts'

/** Begins calls; the process that answers is started by the first one. */
export interface ProxySource {
  link(signal: AbortSignal | undefined): Promise<Link>
  close(): void
}

/** Returns an engine whose methods are carried out by an engine in another process. */
export function proxyEngine(location: EngineLocation, { link, close }: ProxySource): Engine {
  const begin = async (method: string, words: readonly unknown[], call: CallOptions = {}, extras: CallExtras = {}) => {
    const { signal, timeoutMs } = call
    try {
      signal?.throwIfAborted()
      const open = (await (signal === undefined ? link(signal) : untilAborted(link(signal), signal))).open({
        signal,
        ...extras,
      })
      open.start(method, words, timeoutMs)
      return open
    } catch (error) {
      extras.source?.destroy()
      throw error
    }
  }
  const ask = async (...all: Parameters<typeof begin>): Promise<unknown> => (await begin(...all)).result
  const stream = async function* (method: StreamMethod, words: readonly unknown[], call?: CallOptions) {
    const open = await begin(method, words, call)
    yield* open.items.read()
    await open.result
  }
  const plain = Object.entries(plainMethods).map(([method, count]) => [
    method,
    (...all: unknown[]) => ask(method, all.slice(0, count), all[count] as CallOptions | undefined),
  ])
  const streams = Object.entries(streamMethods).map(([method, count]) => [
    method,
    (...all: unknown[]) => stream(method as StreamMethod, all.slice(0, count), all[count] as CallOptions | undefined),
  ])
  const verbs = Object.fromEntries([...plain, ...streams]) as Pick<
    Engine,
    PlainMethod | Exclude<StreamMethod, 'getArchive'>
  >
  return {
    location,
    ...verbs,
    async getArchive(id, path, maxBytes, call) {
      const parts: Uint8Array[] = []
      for await (const part of stream('getArchive', [id, path, maxBytes], call)) parts.push(part as Uint8Array)
      return Buffer.concat(parts)
    },
    async putArchive(id, folder, archive, call) {
      const isStream = archive instanceof Readable
      const source = isStream ? archive : Readable.from([archive])
      await ask('putArchive', [id, folder, isStream], call, { source })
    },
    async loadImages(archive, call) {
      return (await ask('loadImages', [], call, { source: archive })) as readonly string[]
    },
    async buildImage({ context, onProgress, ...request }, call) {
      await ask('buildImage', [request], call, {
        source: context,
        onProgress: onProgress && ((one) => onProgress(one)),
      })
    },
    async pullImage(reference, { onProgress, ...request }, call) {
      await ask('pullImage', [reference, request], call, { onProgress: onProgress && ((one) => onProgress(one)) })
    },
    async exec(id, request, call) {
      const open = await begin('exec', [id, request], call)
      await open.result
      return openProcess(open, request)
    },
    close,
  }
}

function openProcess(open: RemoteCall, { stdin = false, tty }: ExecRequest): ExecProcess {
  let isRead = false
  async function* read(): AsyncGenerator<OutputChunk, void, void> {
    isRead = true
    yield* open.items.read() as AsyncGenerator<OutputChunk, void, void>
  }
  return {
    output: { [Symbol.asyncIterator]: read },
    async exitCode() {
      // Waits one turn of the event loop for a reader. Without one, the output is dropped.
      await new Promise((resolve) => setImmediate(resolve))
      if (!isRead) open.drain()
      return open.exit
    },
    write(bytes) {
      if (!stdin && tty === undefined) throw new TypeError('the process was started without standard input')
      return open.tell('write', bytes)
    },
    // Arrives after what was written before; nobody waits for it.
    endInput: () => void open.tell('endInput').catch(() => {}),
    resize: (rows, columns) => open.tell('resize', [rows, columns]),
  }
}
