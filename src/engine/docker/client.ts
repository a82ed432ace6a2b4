import type { Readable } from 'node:stream'
import { TestfleetError } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import { notDocker, wordsOf } from './explain-ping.ts'
import type { DockerLocation } from './location.ts'
import { negotiate, type Spoken } from './negotiate.ts'
import { failureOf, type Refusal, readRefusal } from './refusal.ts'
import { shareUntilAborted } from './share.ts'
import { type Answer, type Call, openTransport, type Upgraded } from './transport.ts'

/** Docker's API: versions, queries, JSON and refusals. What the calls mean is left to the verbs. */
export interface Client {
  readonly location: DockerLocation
  /** Who answers; asked once, by the first call. */
  spoken(options?: CallOptions): Promise<Spoken>
  object<T extends object>(call: ApiCall): Promise<T>
  list<T extends object>(call: ApiCall): Promise<readonly T[]>
  /** Resolves with the status of an answer without content. */
  done(call: ApiCall): Promise<number>
  /** The answer's body must be iterated, or dropped. */
  stream(call: ApiCall): Promise<Answer>
  upgrade(call: ApiCall): Promise<Upgraded>
  close(): void
}

export interface ApiCall extends CallOptions {
  readonly method: Call['method']
  /** Without a version; its variable parts encoded by `path`. */
  readonly path: string
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>> | undefined
  readonly json?: unknown
  readonly body?: { readonly type: string; readonly content: Uint8Array | Readable } | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Sent without a version: only `/version` asks for it. */
  readonly isUnversioned?: boolean
  /** Whether the deadline of a stream covers all of it, and not only its beginning. */
  readonly isWhole?: boolean
  /** Whether a refusal is no failure: `done` resolves with its status. */
  isFine?(refusal: Refusal): boolean
  /** The failure for a refusal that means something special to the verb. */
  refine?(refusal: Refusal): TestfleetError | undefined
}

type QueryValue = string | number | boolean | undefined

const answerTimeoutMs = 30_000

/** A call's options, with the verb's own deadline where the caller sets none. */
export function within(options: CallOptions | undefined, timeoutMs: number = answerTimeoutMs): CallOptions {
  return { signal: options?.signal, timeoutMs: options?.timeoutMs ?? timeoutMs }
}

export function openClient(location: DockerLocation): Client {
  const transport = openTransport(location)
  const ping = shareUntilAborted((signal) => negotiate(transport, location, signal))
  const prepare = async (call: ApiCall, covers: Call['timeoutCovers']): Promise<Call> => {
    const prefix = call.isUnversioned ? '' : `/v${(await ping(call.signal)).api}`
    return formCall(call, prefix, covers, location)
  }
  const send = async (call: ApiCall, covers: Call['timeoutCovers']): Promise<Answer> =>
    accept(await transport.send(await prepare(call, covers)), call, location)
  const json = async (call: ApiCall): Promise<unknown> =>
    parseJson(await readText((await send(call, 'body')).body), location)
  return {
    location,
    spoken: (options = {}) => ping(options.signal),
    async object<T extends object>(call: ApiCall) {
      const value = await json(call)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongShape(location)
      return value as T
    },
    async list<T extends object>(call: ApiCall) {
      const value = await json(call)
      // Podman 4.3 answers null for an empty list.
      if (value !== null && !Array.isArray(value)) throw wrongShape(location)
      return (value ?? []) as readonly T[]
    },
    async done(call) {
      const answer = await send(call, 'body')
      // Nothing is left of it when it was a refusal.
      await readText(answer.body)
      return answer.status
    },
    stream: (call) => send(call, call.isWhole ? 'body' : 'headers'),
    async upgrade(call) {
      const reply = await transport.upgrade(await prepare(call, 'headers'))
      if (reply.kind === 'upgraded') return reply
      const answer = await accept(reply, call, location)
      answer.drop()
      throw notDocker(location, `it answers HTTP ${reply.status} where it should hand over the connection`)
    },
    close: transport.close,
  }
}

/** A path's variable part: slashes are kept, for the engine's routes take image references as they are. */
export function path(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return strings.reduce(
    (whole, part, i) => whole + encodeURIComponent(values[i - 1] ?? '').replaceAll('%2F', '/') + part,
  )
}

/** Docker's `filters` for objects that carry all these labels; an empty value matches any. */
export function labelFilter(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    label: Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`)),
  })
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function formCall(call: ApiCall, prefix: string, timeoutCovers: Call['timeoutCovers'], location: DockerLocation): Call {
  const content = call.json === undefined ? call.body?.content : Buffer.from(JSON.stringify(call.json))
  const type = call.json === undefined ? call.body?.type : 'application/json'
  const { method, signal, timeoutMs } = call
  return {
    method,
    path: prefix + call.path + formatQuery(call.query),
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...call.headers },
    body: content ?? (method === 'POST' ? new Uint8Array() : undefined),
    signal,
    timeoutMs,
    timeoutCovers,
    onTimeout: () => slow(call, location),
    explain: (error) => lost(call, location, error),
  }
}

function formatQuery(query: ApiCall['query'] = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as readonly QueryValue[]) : [value as QueryValue]) {
      if (one !== undefined) parameters.append(name, String(one))
    }
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

async function accept(answer: Answer, call: ApiCall, location: DockerLocation): Promise<Answer> {
  // 304: it is so already.
  if (answer.status < 300 || answer.status === 304) return answer
  const refusal = readRefusal(answer.status, await readText(answer.body))
  if (call.isFine?.(refusal)) return answer
  throw call.refine?.(refusal) ?? failureOf(refusal, location)
}

function parseJson(text: string, location: DockerLocation): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw wrongShape(location)
  }
}

function wrongShape(location: DockerLocation): TestfleetError {
  return notDocker(location, 'its answer is not the JSON that was asked for')
}

function slow(call: ApiCall, location: DockerLocation): TestfleetError {
  const message = `the engine at ${location.url} gave no answer to ${call.method} ${call.path} within ${(call.timeoutMs ?? 0) / 1000} s`
  return new TestfleetError('ENGINE_TIMEOUT', message, {
    hint: "Look at the engine's log: it hangs, or has too much to do.",
  })
}

function lost(call: ApiCall, location: DockerLocation, error: NodeJS.ErrnoException): TestfleetError {
  const message = `the connection to the engine at ${location.url} broke during ${call.method} ${call.path}: ${wordsOf(error)}`
  return new TestfleetError('ENGINE_LOST', message, { hint: 'Did the engine stop? Look at its log.', cause: error })
}
