import { untilAborted } from '../../model/until-aborted.ts'
import type { EngineLocation } from '../engine.ts'
import { type Connection, type HttpRequest, type HttpResponse, readStart } from './connection.ts'
import { type PingWatch, pause } from './deadline.ts'
import { type Dialect, isOlder, oldestApi, readDialect } from './dialect.ts'
import {
  describeConnectionError,
  explainPing,
  forbidden,
  hanging,
  isCut,
  lost,
  notDocker,
  pingTimedOut,
  tooOld,
} from './errors.ts'

const ping = {
  method: 'GET',
  path: '/_ping',
  headers: {},
  body: undefined,
  timeoutCovers: 'body',
  pingWatch: undefined,
} as const satisfies Partial<HttpRequest>

/** The engine's answer has two letters; a longer one is only shown in a message. */
const maxPingBytes = 1000

/** Pauses before pinging again when the engine drops the connection, as a starting engine does. */
const pausesMs = [50, 150]

/**
 * Finds out what answers. All tries share the deadline, because an engine that is waking up, or a busy machine, may
 * take seconds. Fails at once when nothing listens. Every failure has exit code 3.
 */
export async function pingFirst(
  connection: Connection,
  location: EngineLocation,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Dialect> {
  const endsAt = performance.now() + timeoutMs
  const pingOnce = async (): Promise<Dialect> => {
    const response = await connection.send({
      ...ping,
      signal,
      timeoutMs: Math.max(1, endsAt - performance.now()),
      usesOwnConnection: false,
      timeoutFailure: () => pingTimedOut(location, timeoutMs),
      explainBreak: (error) => explainPing(location, error),
    })
    return readPing(response, await readStart(response, maxPingBytes), location)
  }
  for (const pauseMs of pausesMs) {
    try {
      return await pingOnce()
    } catch (error) {
      if (!isPassing((error as Error).cause)) throw error
      await pause(pauseMs, signal)
    }
  }
  return pingOnce()
}

/** EAGAIN: more connections are waiting at the socket than the engine accepts. */
function isPassing(cause: unknown): boolean {
  return cause instanceof Error && (isCut(cause) || (cause as NodeJS.ErrnoException).code === 'EAGAIN')
}

function readPing({ status, headers }: HttpResponse, text: string, location: EngineLocation): Dialect {
  if (status === 401 || status === 403) throw forbidden(location, text.trim().slice(0, 200))
  const dialect = readDialect(headers)
  if (dialect === undefined || status !== 200) throw notDocker(location, describe(status, text))
  if (isOlder(dialect.apiMax, oldestApi)) throw tooOld(location, dialect.apiMax)
  return dialect
}

function describe(status: number, text: string): string {
  if (/client sent an http request to an https server/i.test(text)) return 'it requires TLS (set DOCKER_TLS_VERIFY=1)'
  const shown = text
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 60)
  return `it answers HTTP ${status}${shown === '' ? '' : `, "${shown}"`}`
}

/** Creates the ping watch of a request. It pings on separate connections after each period of silence. */
export function watchByPing(
  route: string,
  connection: Connection,
  location: EngineLocation,
  silenceMs: number,
): PingWatch {
  return {
    silenceMs,
    async ping(signal) {
      const response = await connection.send({
        ...ping,
        signal,
        timeoutMs: silenceMs,
        usesOwnConnection: true,
        timeoutFailure: () => hanging(route, silenceMs, location),
        explainBreak: (error) => lost(route, location, describeConnectionError(error), error),
      })
      await readStart(response, maxPingBytes)
      if (response.status >= 500) {
        throw lost(route, location, `the engine answers a ping with HTTP ${response.status}`)
      }
    },
  }
}

/**
 * Shares one call among many callers: concurrent callers wait for the same call, and later ones get its result. A
 * caller that aborts leaves at once; the call itself is aborted when its last caller has left. A failure is reported to
 * all waiting callers, and then forgotten.
 */
export function shareUntilAborted<T>(
  start: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal | undefined) => Promise<T> {
  let shared: { readonly result: Promise<T>; readonly control: AbortController; waiting: number } | undefined
  const begin = (): NonNullable<typeof shared> => {
    const control = new AbortController()
    const begun = { result: start(control.signal), control, waiting: 0 }
    begun.result.catch(() => {
      if (shared === begun) shared = undefined
    })
    return begun
  }
  return async (signal) => {
    signal?.throwIfAborted()
    shared ??= begin()
    const mine = shared
    mine.waiting++
    try {
      return await (signal === undefined ? mine.result : untilAborted(mine.result, signal))
    } catch (error) {
      // The last caller leaves: the next one starts a new call.
      if (mine.waiting === 1 && shared === mine) shared = undefined
      if (mine.waiting === 1) mine.control.abort()
      throw error
    } finally {
      mine.waiting--
    }
  }
}
