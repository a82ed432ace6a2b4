import type { Readable } from 'node:stream'
import { isBlock } from '../../formats/block.ts'
import type { TestfleetError } from '../../model/failures.ts'
import type { Labels } from '../../model/labels.ts'
import type { CallOptions, RemoteLocation } from '../engine.ts'
import {
  type HttpRequest,
  type HttpResponse,
  openConnection,
  readAll,
  readStart,
  type UpgradedConnection,
} from './connection.ts'
import { type RetryPolicy, retry } from './deadline.ts'
import type { Dialect, Refusal } from './dialect.ts'
import { describeConnectionError, lost, notDocker, readRefusal, refused, timedOut, wrongShape } from './errors.ts'
import { pingFirst, shareUntilAborted, watchByPing } from './ping.ts'

/**
 * Docker's API below the meaning of requests: versions, deadlines, queries, JSON, refusals. A request whose connection
 * breaks is repeated if that is safe.
 */
export interface Client {
  readonly location: RemoteLocation
  /** The deadline of a request with `deadline: 'long'` whose caller sets none. */
  readonly longDeadlineMs: number
  /** Returns the engine's dialect. The first request pings the engine; later ones use the result. */
  dialect(options?: CallOptions): Promise<Dialect>
  readObject<T extends object>(route: Route, options: CallOptions | undefined, request?: ApiRequest): Promise<T>
  readList<T extends object>(
    route: Route,
    options: CallOptions | undefined,
    request?: ApiRequest,
  ): Promise<readonly T[]>
  /** Resolves with the status; the content of the answer is ignored. */
  send(route: Route, options: CallOptions | undefined, request?: ApiRequest): Promise<number>
  /**
   * Resolves with the result of `read`. If the answer breaks off, repeats the request and reads its answer from the
   * start.
   */
  sendAndRead<T>(
    route: Route,
    options: CallOptions | undefined,
    request: ApiRequest,
    read: (response: HttpResponse) => Promise<T>,
  ): Promise<T>
  /** The body must be iterated or dropped. A body that breaks off fails. */
  openStream(route: Route, options: CallOptions | undefined, request: ApiRequest): Promise<HttpResponse>
  upgrade(route: Route, options: CallOptions | undefined, request: ApiRequest): Promise<UpgradedConnection>
  close(): void
}

/** Method and path, such as `GET /info`, without the version. Variable parts are encoded by `path`. */
export type Route = `${HttpRequest['method']} /${string}`

export interface ApiRequest {
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>> | undefined
  readonly json?: unknown
  readonly body?: { readonly type: string; readonly content: Uint8Array | Readable } | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Whether the path has no version, which only `/version` allows. */
  readonly isUnversioned?: boolean
  /** Whether a POST or PUT can be repeated without a further effect. GET, HEAD and DELETE always can. */
  readonly isRepeatable?: boolean
  /** Deadline when the caller sets none: that of one answer by default, a multiple of it, or none. */
  readonly deadline?: 'long' | 'none'
  /** Added to that deadline. */
  readonly moreMs?: number
  /** Whether the deadline of a stream covers all of it, and not only its headers. */
  readonly limitsWholeStream?: boolean
  /** Whether a refusal counts as success; `send` then resolves with its status. */
  acceptsRefusal?(refusal: Refusal): boolean
  /** Returns the failure for a refusal with a special meaning for this method. */
  explainRefusal?(refusal: Refusal): TestfleetError | undefined
}

type QueryValue = string | number | boolean | undefined

interface Call extends ApiRequest, CallOptions {
  readonly route: Route
}

/**
 * Field of an engine's answer. Any field may be missing or null, because engines of six years, and Podman, are
 * supported.
 */
export type Maybe<T> = T | null | undefined

export type MaybeTexts<Names extends string> = { readonly [Name in Names]?: Maybe<string> }

/** A list of ten thousand containers has about 20 MB. Larger answers are refused. */
const maxJsonBytes = 128 * 1024 * 1024
const maxRefusalBytes = 64 * 1024

/** Opens a client without sending anything. `answerMs` limits one answer, `pingMs` the first one. */
export function openClient(location: RemoteLocation, answerMs: number, pingMs: number): Client {
  const connection = openConnection(location.endpoint)
  const longDeadlineMs = 4 * answerMs
  const dialect = shareUntilAborted((signal) => pingFirst(connection, location, pingMs, signal))
  const callOf = (route: Route, options: CallOptions = {}, request: ApiRequest = {}): Call => {
    const ownMs = request.deadline === 'long' ? longDeadlineMs : answerMs + (request.moreMs ?? 0)
    const { signal, timeoutMs = request.deadline === 'none' ? undefined : ownMs } = options
    return { ...request, route, signal, timeoutMs }
  }
  const prepare = async (call: Call, covers: HttpRequest['timeoutCovers']): Promise<HttpRequest> => {
    const version = call.isUnversioned ? '' : `/v${(await dialect(call.signal)).api}`
    const pingWatch = watchByPing(call.route, connection, location, answerMs)
    return { ...formRequest(call, version, location), timeoutCovers: covers, pingWatch }
  }
  const exchange = async (call: Call, covers: HttpRequest['timeoutCovers'], timeoutMs: number | undefined) =>
    acceptResponse(await connection.send({ ...(await prepare(call, covers)), timeoutMs }), call, location)
  const sendAndRead: Client['sendAndRead'] = (route, options, request, read) => {
    const call = callOf(route, options, request)
    return retry(retryPolicyOf(call), async (timeoutMs) => read(await exchange(call, 'body', timeoutMs)))
  }
  const readContent = ({ body }: HttpResponse, route: Route): Promise<Buffer> =>
    readAll(body, maxJsonBytes, `the engine's answer to ${route}`)
  const readJson = (route: Route, options: CallOptions | undefined, request: ApiRequest = {}): Promise<unknown> =>
    sendAndRead(route, options, request, async (response) =>
      parseJson(await readContent(response, route), route, location),
    )
  return {
    location,
    longDeadlineMs,
    dialect: (options = {}) => dialect(options.signal),
    async readObject<T extends object>(...call: Parameters<typeof readJson>) {
      const value = await readJson(...call)
      if (!isBlock(value)) throw wrongShape(location)
      return value as T
    },
    async readList<T extends object>(...call: Parameters<typeof readJson>) {
      const value = await readJson(...call)
      // Podman 4.3 answers null for an empty list.
      if (value !== null && !Array.isArray(value)) throw wrongShape(location)
      return (value ?? []) as readonly T[]
    },
    send: (route, options, request = {}) =>
      sendAndRead(route, options, request, async (response) => {
        await readContent(response, route)
        return response.status
      }),
    sendAndRead,
    openStream(route, options, request) {
      const call = callOf(route, options, request)
      const covers = request.limitsWholeStream ? 'body' : 'headers'
      return retry(retryPolicyOf(call), (timeoutMs) => exchange(call, covers, timeoutMs))
    },
    async upgrade(route, options, request) {
      const call = callOf(route, options, request)
      const reply = await connection.upgrade(await prepare(call, 'headers'))
      if (reply.kind === 'upgraded') return reply
      const response = await acceptResponse(reply, call, location)
      response.drop()
      throw notDocker(location, `it answers HTTP ${reply.status} instead of handing over the connection`)
    },
    close: connection.close,
  }
}

function retryPolicyOf({ route, isRepeatable = false, signal, timeoutMs }: Call): RetryPolicy {
  const isAlwaysRepeatable = /^(?:GET|HEAD|DELETE) /.test(route)
  return {
    isRepeatable: isAlwaysRepeatable || isRepeatable,
    retriesServerErrors: isAlwaysRepeatable,
    signal,
    timeoutMs,
  }
}

/** Returns the request in HTTP, and functions that create its failures. */
export function formRequest(
  { route, query, json, body, headers, signal, timeoutMs }: Call,
  version: string,
  location: RemoteLocation,
): Omit<HttpRequest, 'timeoutCovers' | 'pingWatch'> {
  const [method, path] = route.split(' ') as [HttpRequest['method'], string]
  const sent = json === undefined ? body : { type: 'application/json', content: Buffer.from(JSON.stringify(json)) }
  return {
    method,
    path: version + path + formatQuery(query),
    headers: { ...(sent && { 'content-type': sent.type }), ...headers },
    body: sent?.content ?? (method === 'POST' ? new Uint8Array() : undefined),
    signal,
    timeoutMs,
    usesOwnConnection: false,
    timeoutFailure: () => timedOut(route, timeoutMs ?? 0, location),
    explainBreak: (error) => lost(route, location, describeConnectionError(error), error),
  }
}

function formatQuery(query: ApiRequest['query'] = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined) parameters.append(name, String(one))
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

/** Encodes the variable parts of a path. Slashes are kept: the engine's routes take image references as they are. */
export function path(strings: TemplateStringsArray, ...values: readonly string[]): Route {
  return String.raw(strings, ...values.map((value) => encodeURIComponent(value).replaceAll('%2F', '/'))) as Route
}

/** Returns Docker's `filters` for objects that carry all these labels; an empty value matches any. */
export function labelFilter(labels: Labels): string {
  return JSON.stringify({
    label: Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`)),
  })
}

async function acceptResponse(response: HttpResponse, call: Call, location: RemoteLocation): Promise<HttpResponse> {
  // 304 means that the object is already in the requested state.
  if (response.status < 300 || response.status === 304) return response
  const refusal = readRefusal(response.status, await readStart(response, maxRefusalBytes))
  if (call.acceptsRefusal?.(refusal)) return response
  throw call.explainRefusal?.(refusal) ?? refused(refusal, location)
}

function parseJson(bytes: Buffer, route: Route, location: RemoteLocation): unknown {
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    // Invalid text that begins like JSON was truncated.
    throw /^\s*[[{]/.test(text) ? lost(route, location, 'its answer broke off') : wrongShape(location)
  }
}
