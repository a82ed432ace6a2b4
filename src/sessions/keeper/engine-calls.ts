import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { RequestOptions } from 'node:https'
import type { EngineEndpoint } from '../../model/engine-endpoint.ts'

/** The few things that a keeper asks of an engine. Small, and its own: what cleans up does not stand on what failed. */
export interface EngineCalls {
  /** The answer's JSON. Rejects for any other answer, and for none within the deadline. */
  get(path: string): Promise<unknown>
  /** Resolves with the status of any answer. */
  send(method: 'POST' | 'DELETE', path: string): Promise<number>
}

const ANSWER_TIMEOUT_MS = 60_000

export async function openEngineCalls(endpoint: EngineEndpoint): Promise<EngineCalls> {
  const { request, options, basePath } = await prepare(endpoint)
  let version = ''
  const exchange = (method: string, path: string): Promise<{ status: number; text: string; api: string }> =>
    new Promise((resolve, reject) => {
      const call = request({ ...options, method, path: basePath + path, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const { 'api-version': api = '' } = response.headers
          if (response.complete) resolve({ status: response.statusCode ?? 0, text, api: String(api) })
          else reject(new Error('half an answer'))
        })
      })
      call.setTimeout(ANSWER_TIMEOUT_MS, () => call.destroy(new Error('no answer in time')))
      call.on('error', reject).end()
    })
  const versioned = async (path: string): Promise<string> => {
    // Asked anew after every failure: an engine that comes back may be another release.
    if (version === '') version = (await exchange('GET', '/_ping')).api
    if (version === '') throw new Error('no engine answers')
    return `/v${version}${path}`
  }
  const forgetting = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work
    } catch (error) {
      version = ''
      throw error
    }
  }
  return {
    async get(path) {
      const { status, text } = await forgetting(exchange('GET', await versioned(path)))
      if (status !== 200) throw new Error(`HTTP ${status}`)
      return JSON.parse(text)
    },
    async send(method, path) {
      return (await forgetting(exchange(method, await versioned(path)))).status
    },
  }
}

interface Prepared {
  readonly request: typeof http.request
  readonly options: RequestOptions
  readonly basePath: string
}

async function prepare(endpoint: EngineEndpoint): Promise<Prepared> {
  const headers = { host: 'localhost' }
  // No server name: Node 24 would work one out with a regular expression that is slow at its first use.
  if (endpoint.kind === 'socket') {
    return { request: http.request, options: { socketPath: endpoint.path, servername: '', headers }, basePath: '' }
  }
  const { host, port, basePath, tls } = endpoint
  if (tls === undefined) return { request: http.request, options: { host, port }, basePath }
  const { request } = await import('node:https')
  const read = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path))
  const [ca, cert, key] = [read(tls.ca), read(tls.cert), read(tls.key)]
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return { request, options: { host, port, ...files, rejectUnauthorized: tls.isVerified }, basePath }
}
