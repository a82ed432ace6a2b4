import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import type { HttpCheck } from '../model/fleet.ts'
import { afterReading } from './after-reading.ts'
import { findInBody, quoteBody } from './http-body.ts'
import { wordParseError } from './name-protocol.ts'
import {
  type Address,
  type Answer,
  addressOf,
  answerOfError,
  notYet,
  type Probe,
  type Reach,
  ready,
  reportWhile,
  silent,
  unheard,
} from './probe.ts'
import { type ClientCertificate, tlsOptions, wordTlsError } from './tls.ts'

/** Number of interim answers (1xx) accepted before the final one. */
const MOST_INTERIM = 20
const MAX_HEADER_BYTES = 64 * 1024

/** The server that an HTTP check asks. */
export interface HttpTarget {
  readonly reach: Reach
  readonly hostname: string
  /** The fleet's client certificate, or undefined if it has none. */
  readClientCertificate?(): Promise<ClientCertificate | undefined>
}

/** Holds when the answer has the wanted status, headers and body. Does not follow redirects. */
export function probeHttp(check: HttpCheck, target: HttpTarget): Probe {
  return async (signal, patienceMs, waiting = { connectMs: patienceMs, onWait() {} }) => {
    const address = addressOf(target.reach, check.port)
    const patience = new AbortController()
    let said: string | undefined
    let sent: ClientRequest | undefined
    const say = (): string => said ?? wordSilence(check, sent?.socket?.bytesRead ?? 0)
    const options = await describeRequest(check, address, target, AbortSignal.any([signal, patience.signal]))
    // Loaded on demand: most checks use no TLS.
    const { request } = check.kind === 'https' ? await import('node:https') : http
    sent = request(options)
    const endReports = reportWhile(say, waiting)
    const stopClock = afterReading(patienceMs, () => patience.abort())
    try {
      const response = await readHead(sent)
      const report = (words: string): void => {
        said = words
      }
      return await judge(check, response, waiting.connectMs, options.signal, report)
    } catch (error) {
      signal.throwIfAborted()
      return patience.signal.aborted ? silent(say()) : answerOf(error, sent, options)
    } finally {
      stopClock()
      endReports()
      sent.destroy()
    }
  }
}

type Request = RequestOptions & { readonly servername: string; readonly signal: AbortSignal }

async function describeRequest(
  check: HttpCheck,
  address: Address,
  { hostname, readClientCertificate }: HttpTarget,
  signal: AbortSignal,
): Promise<Request> {
  const headers = {
    host: hostname,
    connection: 'close',
    'user-agent': 'testfleet',
    ...lowerCased(check.requestHeaders),
  }
  const asked = headers.host.replace(/:\d+$/, '')
  const client =
    check.kind === 'http' || check.clientCertificate === false ? undefined : await readClientCertificate?.()
  return {
    host: address.host,
    port: address.port,
    path: check.path,
    headers,
    agent: false,
    signal,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Old and small servers end the lines of their header with LF alone.
    insecureHTTPParser: true,
    ...tlsOptions(asked, client),
  }
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** With TLS, the bytes of its handshake count, too. */
function wordSilence({ kind }: HttpCheck, heardBytes: number): string {
  if (kind === 'https' || heardBytes === 0) return 'does not answer'
  return `begins its answer (${heardBytes} bytes), and does not end its header`
}

function readHead(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve).on('error', reject)
    let interim = 0
    sent.on('information', ({ statusCode }) => {
      interim += 1
      if (interim > MOST_INTERIM) sent.destroy(new Error(`answers ${statusCode} again and again`))
    })
    sent.end()
  })
}

/** Gives up a body after `quietMs` without data: what it says may be out of date. */
async function judge(
  check: HttpCheck,
  response: IncomingMessage,
  quietMs: number,
  signal: AbortSignal,
  report: (words: string) => void,
): Promise<Answer> {
  const status = response.statusCode ?? 0
  const says = `answers ${status}`
  report(says)
  const isStatusGood = check.status.length === 0 ? status >= 200 && status < 400 : check.status.includes(status)
  if (!isStatusGood) return notYet(`${says}${await quoteBody(response)}`)
  for (const [name, wanted] of Object.entries(check.headers)) {
    const given = response.headers[name.toLowerCase()]
    if (given === undefined || ![given].flat().join(', ').includes(wanted))
      return notYet(`${says} without ${JSON.stringify(wanted)} in its header ${name}`)
  }
  if (check.body === undefined) return ready
  return findInBody(response, check.body, quietMs, signal, (where) => {
    const words = `${says} without ${JSON.stringify(check.body)} in ${where}`
    report(words)
    return words
  })
}

function answerOf(error: unknown, sent: ClientRequest, { signal, servername }: Request): Answer {
  const { code = '', message, rawPacket } = error as NodeJS.ErrnoException & { rawPacket?: Buffer }
  if (code.startsWith('HPE_')) return notYet(wordParseError(rawPacket ?? Buffer.alloc(0), message))
  const tlsWords = wordTlsError(error, servername)
  if (tlsWords !== undefined) return notYet(tlsWords)
  if (message !== 'socket hang up') return answerOfError(error, signal)
  const heardBytes = sent.socket?.bytesRead ?? 0
  if (heardBytes === 0) return unheard('closes the connection')
  return notYet(`closes the connection after ${heardBytes} bytes, in the middle of its answer`)
}
