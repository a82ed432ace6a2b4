import { TestfleetError } from '../../model/failures.ts'
import type { EngineLocation } from '../engine.ts'
import { explainPing, forbidden, notDocker, pingTimeout } from './explain-ping.ts'
import type { DockerLocation } from './location.ts'
import type { Answer, Transport } from './transport.ts'

/** The versions of the API that are spoken here. 1.40 is Engine 19.03, 1.51 is Engine 28.3. */
const oldestApi = '1.40'
export const newestApi = '1.51'

/** What the first call found out. */
export interface Spoken {
  /** The version that every later call is made with. */
  readonly api: string
  readonly apiMax: string
  /** Docker's own engine, and not one that speaks its API. */
  readonly isDocker: boolean
  readonly hasBuildKit: boolean
}

/** With what the process needs besides, still within a second. */
const localTimeoutMs = 700
const remoteTimeoutMs = 3000

/** Asks who answers, once: what is not there must be known at once. Every failure of it ends with exit code 3. */
export async function negotiate(
  transport: Transport,
  location: DockerLocation,
  answerTimeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Spoken> {
  const usualMs = location.remoteHost === undefined ? localTimeoutMs : remoteTimeoutMs
  const timeoutMs = Math.min(usualMs, answerTimeoutMs)
  const answer = await transport.send({
    method: 'GET',
    path: '/_ping',
    headers: {},
    body: undefined,
    signal,
    timeoutMs,
    timeoutCovers: 'body',
    vigil: undefined,
    isApart: false,
    onTimeout: () => pingTimeout(location, timeoutMs),
    explain: (error) => explainPing(location, error),
  })
  const text = await readStart(answer)
  return readPing(answer, text, location)
}

/** The first part of an answer: a ping's is two letters, anything else's is only shown. */
async function readStart(answer: Answer): Promise<string> {
  let text = ''
  for await (const chunk of answer.body) {
    text += chunk.toString('utf8')
    if (text.length > 1000) break
  }
  return text
}

function readPing({ status, headers }: Answer, text: string, location: DockerLocation): Spoken {
  if (status === 401 || status === 403) throw forbidden(location, text.trim().slice(0, 200))
  const apiMax = headers['api-version']
  if (typeof apiMax !== 'string' || !/^1\.\d{1,4}$/.test(apiMax)) throw notDocker(location, describe(status, text))
  if (status !== 200) throw notDocker(location, describe(status, text))
  if (isOlder(apiMax, oldestApi)) throw tooOld(location, apiMax)
  const isDocker = headers['libpod-api-version'] === undefined
  return {
    api: isOlder(newestApi, apiMax) ? newestApi : apiMax,
    apiMax,
    isDocker,
    // 20.10 sends the builder's version only where one was configured; from 23 on, 1 stands for the classic builder.
    hasBuildKit: isDocker && headers.ostype !== 'windows' && headers['builder-version'] !== '1',
  }
}

function describe(status: number, text: string): string {
  if (/client sent an http request to an https server/i.test(text)) return 'it wants TLS (set DOCKER_TLS_VERIFY=1)'
  const shown = text
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 60)
  return `it answers HTTP ${status}${shown === '' ? '' : `, "${shown}"`}`
}

function tooOld(location: EngineLocation, apiMax: string): TestfleetError {
  const message = `the engine at ${location.url} speaks the API up to ${apiMax}; ${oldestApi} is needed`
  return new TestfleetError('ENGINE_TOO_OLD', message, {
    hint: 'Install Docker Engine 19.03 or newer, or Podman 4 or newer.',
  })
}

/** The engine has left our versions behind. */
export function tooNew(location: EngineLocation, apiMin: string): TestfleetError {
  const message = `the engine at ${location.url} speaks the API from ${apiMin} on; this testfleet speaks it up to ${newestApi}`
  return new TestfleetError('ENGINE_TOO_OLD', message, { hint: 'Install a newer testfleet, or an older engine.' })
}

export function isOlder(version: string, than: string): boolean {
  return minor(version) < minor(than)
}

function minor(version: string): number {
  return Number(version.split('.')[1])
}
