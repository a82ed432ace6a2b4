import type { Readable } from 'node:stream'
import type { TestfleetError } from '../../model/failures.ts'
import type { CallOptions, EngineLocation } from '../engine.ts'
import {
  type HttpRequest,
  type HttpResponse,
  openConnection,
  readAll,
  readStart,
  type UpgradedConnection,
} from './connection.ts'
import type { Dialect, Refusal } from './dialect.ts'
import { lost, notDocker, readRefusal, refused, timedOut, wordsOf, wrongShape } from './errors.ts'
import { pingFirst, shareUntilAborted, watchByPing } from './ping.ts'
import { type RetryPolicy, retry } from './retry.ts'

/**
 * Docker's API without the meaning of its requests, which is left to the verbs: versions, queries, JSON, refusals. A
 * request that breaks off is made again where that is safe.
 */
export interface Client {
  readonly location: EngineLocation
  /** Who answers, and how to speak to it. The first request asks, and later ones know. */
  dialect(options?: CallOptions): Promise<Dialect>
  readObject<T extends object>(request: ApiRequest): Promise<T>
  readList<T extends object>(request: ApiRequest): Promise<readonly T[]>
  /** Resolves with the status; the content of the answer is ignored. */
  send(request: ApiRequest): Promise<number>
  /** Resolves with what `read` returns. When the answer breaks off, the request is made again and read from its start. */
  sendAndRead<T>(request: ApiRequest, read: (response: HttpResponse) => Promise<T>): Promise<T>
  /** The body must be iterated or dropped. A body that breaks off fails. */
  openStream(request: ApiRequest): Promise<HttpResponse>
  /** Takes over the connection. */
  upgrade(request: ApiRequest): Promise<UpgradedConnection>
  /**
   * Returns the options of a call with a deadline. Unless the caller sets one, it is `answers` times the time that one
   * answer may take, and `moreMs`.
   */
  withDeadline(options: CallOptions | undefined, answers?: number, moreMs?: number): CallOptions
  close(): void
}

export interface ApiRequest extends CallOptions {
  readonly method: HttpRequest['method']
  /** Without a version. Its variable parts are encoded by `path`. */
  readonly path: string
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>> | undefined
  readonly json?: unknown
  readonly body?: { readonly type: string; readonly content: Uint8Array | Readable } | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Whether the path is sent without a version, which only `/version` allows. */
  readonly isUnversioned?: boolean
  /** Whether a POST or PUT that is made twice leaves the engine as one does. GET and DELETE always do. */
  readonly isRepeatable?: boolean
  /** Whether the deadline of a stream covers all of it, and not only its headers. */
  readonly limitsWholeStream?: boolean
  /** Whether a refusal is no failure; `send` then resolves with its status. */
  acceptsRefusal?(refusal: Refusal): boolean
  /** Returns the failure for a refusal that means something special to the verb. */
  explainRefusal?(refusal: Refusal): TestfleetError | undefined
}

type QueryValue = string | number | boolean | undefined

/** A field of an engine's answer. Any may be missing or null: engines of six years, and Podman, answer. */
export type Maybe<T> = T | null | undefined

/** A list of ten thousand containers has about 20 MB. What is larger is no answer to testfleet's questions. */
const maxJsonBytes = 128 * 1024 * 1024
const maxRefusalBytes = 64 * 1024

/** `answerMs` is how long one answer may take, `pingMs` the first one of all. Sends nothing yet. */
export function openClient(location: EngineLocation, answerMs: number, pingMs: number): Client {
  const connection = openConnection(location.endpoint)
  const dialect = shareUntilAborted((signal) => pingFirst(connection, location, pingMs, signal))
  const prepare = async (request: ApiRequest, covers: HttpRequest['timeoutCovers']): Promise<HttpRequest> => {
    const version = request.isUnversioned ? '' : `/v${(await dialect(request.signal)).api}`
    const pingWatch = watchByPing(request, connection, location, answerMs)
    return { ...formRequest(request, version, location), timeoutCovers: covers, pingWatch }
  }
  const exchange = async (request: ApiRequest, covers: HttpRequest['timeoutCovers'], timeoutMs: number | undefined) =>
    acceptResponse(await connection.send({ ...(await prepare(request, covers)), timeoutMs }), request, location)
  const sendAndRead: Client['sendAndRead'] = (request, read) =>
    retry(retryPolicyOf(request), async (timeoutMs) => read(await exchange(request, 'body', timeoutMs)))
  const readContent = ({ body }: HttpResponse, request: ApiRequest): Promise<Buffer> =>
    readAll(body, maxJsonBytes, `the engine's answer to ${request.method} ${request.path}`)
  const readJson = (request: ApiRequest): Promise<unknown> =>
    sendAndRead(request, async (response) => parseJson(await readContent(response, request), request, location))
  return {
    location,
    dialect: (options = {}) => dialect(options.signal),
    async readObject<T extends object>(request: ApiRequest) {
      const value = await readJson(request)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongShape(location)
      return value as T
    },
    async readList<T extends object>(request: ApiRequest) {
      const value = await readJson(request)
      // Podman 4.3 answers null for an empty list.
      if (value !== null && !Array.isArray(value)) throw wrongShape(location)
      return (value ?? []) as readonly T[]
    },
    send: (request) =>
      sendAndRead(request, async (response) => {
        await readContent(response, request)
        return response.status
      }),
    sendAndRead,
    openStream: (request) =>
      retry(retryPolicyOf(request), (timeoutMs) =>
        exchange(request, request.limitsWholeStream ? 'body' : 'headers', timeoutMs),
      ),
    async upgrade(request) {
      const reply = await connection.upgrade(await prepare(request, 'headers'))
      if (reply.kind === 'upgraded') return reply
      const response = await acceptResponse(reply, request, location)
      response.drop()
      throw notDocker(location, `it answers HTTP ${reply.status} where it should hand over the connection`)
    },
    withDeadline: (options, answers = 1, moreMs = 0) => ({
      signal: options?.signal,
      timeoutMs: options?.timeoutMs ?? answers * answerMs + moreMs,
    }),
    close: connection.close,
  }
}

function retryPolicyOf({ method, isRepeatable = false, signal, timeoutMs }: ApiRequest): RetryPolicy {
  const isAlwaysRepeatable = method === 'GET' || method === 'DELETE'
  return {
    isRepeatable: isAlwaysRepeatable || isRepeatable,
    retriesServerErrors: isAlwaysRepeatable,
    signal,
    timeoutMs,
  }
}

/** Returns the request as it is sent, and the names of its failures. */
export function formRequest(
  request: ApiRequest,
  version: string,
  location: EngineLocation,
): Omit<HttpRequest, 'timeoutCovers' | 'pingWatch'> {
  const content = request.json === undefined ? request.body?.content : Buffer.from(JSON.stringify(request.json))
  const type = request.json === undefined ? request.body?.type : 'application/json'
  const { method, signal, timeoutMs } = request
  return {
    method,
    path: version + request.path + formatQuery(request.query),
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...request.headers },
    body: content ?? (method === 'POST' ? new Uint8Array() : undefined),
    signal,
    timeoutMs,
    usesOwnConnection: false,
    timeoutFailure: () => timedOut(request, timeoutMs ?? 0, location),
    explainBreak: (error) => lost(request, location, wordsOf(error), error),
  }
}

function formatQuery(query: ApiRequest['query'] = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? (value as readonly QueryValue[]) : [value as QueryValue]) {
      if (one !== undefined) parameters.append(name, String(one))
    }
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

/** Encodes the variable parts of a path. Slashes are kept: the engine's routes take image references as they are. */
export function path(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return strings.reduce(
    (whole, part, i) => whole + encodeURIComponent(values[i - 1] ?? '').replaceAll('%2F', '/') + part,
  )
}

/** Returns Docker's `filters` for objects that carry all these labels; an empty value matches any. */
export function labelFilter(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    label: Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`)),
  })
}

async function acceptResponse(
  response: HttpResponse,
  request: ApiRequest,
  location: EngineLocation,
): Promise<HttpResponse> {
  // 304 means that it is so already.
  if (response.status < 300 || response.status === 304) return response
  const refusal = readRefusal(response.status, await readStart(response, maxRefusalBytes))
  if (request.acceptsRefusal?.(refusal)) return response
  throw request.explainRefusal?.(refusal) ?? refused(refusal, location)
}

function parseJson(bytes: Buffer, request: ApiRequest, location: EngineLocation): unknown {
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    // A text that begins as JSON and is none has lost its end on the way.
    throw /^\s*[[{]/.test(text) ? lost(request, location, 'its answer broke off') : wrongShape(location)
  }
}
