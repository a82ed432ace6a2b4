import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import type { HttpCheck } from '../model/fleet.ts'
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
} from './probe.ts'

const MAX_BODY_BYTES = 1024 * 1024
/** Answers before the answer (1xx). A server that sends more does not come to its answer. */
const MOST_INTERIM = 20

/** Holds when the answer has the wanted status, headers and body. Does not follow redirects. */
export function probeHttp(check: HttpCheck, reach: Reach, hostname: string): Probe {
  return async (signal, patienceMs, waiting = { connectMs: patienceMs, onWait() {} }) => {
    const address = addressOf(reach, check.port)
    const patience = AbortSignal.timeout(patienceMs)
    const endReports = reportWhile(() => 'does not answer', waiting)
    try {
      return judge(check, await request(check, address, hostname, AbortSignal.any([signal, patience])))
    } catch (error) {
      signal.throwIfAborted()
      return patience.aborted ? silent('does not answer') : answerOfError(error, signal)
    } finally {
      endReports()
    }
  }
}

type HttpAnswer = Pick<IncomingMessage, 'headers'> & { readonly status: number; readonly body: string }

async function request(check: HttpCheck, address: Address, hostname: string, signal: AbortSignal): Promise<HttpAnswer> {
  // Loaded on demand: most checks use no TLS.
  const { request: send } = check.kind === 'https' ? await import('node:https') : http
  const options: RequestOptions & { rejectUnauthorized: boolean; ca: []; servername: string } = {
    host: address.host,
    port: address.port,
    path: check.path,
    headers: { host: hostname, connection: 'close', 'user-agent': 'testfleet' },
    agent: false,
    signal,
    // A ready check asks whether the server answers; tests verify its certificate.
    rejectUnauthorized: false,
    // To load the authorities of the world takes longer than to ask.
    ca: [],
    servername: hostname,
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = send(options, resolve).once('error', reject)
    let interim = 0
    sent.on('information', ({ statusCode }) => {
      interim += 1
      if (interim > MOST_INTERIM) sent.destroy(new Error(`answers ${statusCode} again and again`))
    })
    sent.end()
  })
  const body = check.body === undefined ? '' : await readBody(response)
  response.destroy()
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_BODY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

function judge(check: HttpCheck, answer: HttpAnswer): Answer {
  const isStatusGood =
    check.status.length === 0 ? answer.status >= 200 && answer.status < 400 : check.status.includes(answer.status)
  if (!isStatusGood) return notYet(`answers ${answer.status}`)
  for (const [name, wanted] of Object.entries(check.headers)) {
    const given = answer.headers[name.toLowerCase()]
    if (given === undefined || ![given].flat().join(', ').includes(wanted))
      return notYet(`answers ${answer.status} without ${JSON.stringify(wanted)} in its header ${name}`)
  }
  if (check.body !== undefined && !answer.body.includes(check.body)) {
    return notYet(`answers ${answer.status} without ${JSON.stringify(check.body)} in its body`)
  }
  return ready
}
