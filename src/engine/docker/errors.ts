import { CUT, stripFromLines } from '../../formats/strip-controls.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import { say } from '../../model/surface.ts'
import type { EngineLocation } from '../engine.ts'
import { minimumApiIn, newestApi, oldestApi, type Refusal } from './dialect.ts'
import { diskFullHint, shortenDiskFull } from './disk-full.ts'

/** A refusal without a special meaning. Its status decides whether the request is repeated. */
export class Refused extends TestfleetError {
  readonly status: number

  constructor({ status, words }: Refusal) {
    super(status === 404 ? 'NOT_FOUND' : 'ENGINE_REFUSED', shortenDiskFull(words), { hint: diskFullHint(words) })
    this.status = status
  }
}

/** Returns the failure for a refusal that the method does not explain. */
export function refused(refusal: Refusal, location: EngineLocation): TestfleetError {
  const minimum = minimumApiIn(refusal.words)
  return minimum === undefined ? new Refused(refusal) : tooNew(location, minimum)
}

/** Reads the body of an error: Docker's and Podman's JSON, a proxy's HTML, or plain text. */
export function readRefusal(status: number, body: string): Refusal {
  return { status, words: cleanWords(messageIn(body)) || `the engine answered HTTP ${status}` }
}

function messageIn(body: string): string {
  if (/^\s*</.test(body)) return ''
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string') {
      return value.message
    }
    return ''
  } catch {
    return body
  }
}

/** Returns the engine's message as one paragraph that is safe to print, without the prefixes meant for its own command. */
export function cleanWords(text: string): string {
  const words = stripFromLines(
    text.replace(/^(?:Error response from daemon: |Error: |Error processing tar file\(exit status \d+\): )+/i, ''),
  ).trim()
  return words.length > maxWordsLength ? `${words.slice(0, maxWordsLength)}${CUT}` : words
}

const maxWordsLength = 2000

/** Returns an ENGINE_TIMEOUT. `route` is the request, such as `GET /info`. */
export function timedOut(route: string, timeoutMs: number, location: EngineLocation): TestfleetError {
  const message = `the engine at ${location.url} did not answer ${route} within ${timeoutMs / 1000} s`
  return new TestfleetError('ENGINE_TIMEOUT', message, {
    hint: "Look at the engine's log: it hangs or is overloaded. Set TESTFLEET_ENGINE_TIMEOUT to give it more time.",
  })
}

export function hanging(route: string, timeoutMs: number, location: EngineLocation): TestfleetError {
  const message = `the engine at ${location.url} hangs: it was silent during ${route}, and did not answer a ping within ${timeoutMs / 1000} s`
  return new TestfleetError('ENGINE_TIMEOUT', message, { hint: "Look at the engine's log." })
}

export function lost(route: string, location: EngineLocation, why: string, cause?: unknown): TestfleetError {
  return engineLost(`the connection to the engine at ${location.url} broke during ${route}: ${why}`, cause)
}

export function engineLost(message: string, cause?: unknown): TestfleetError {
  return new TestfleetError('ENGINE_LOST', message, { hint: "Look at the engine's log: it may have stopped.", cause })
}

export function commandNotFound(program: string, words: string): TestfleetError {
  const isForbidden = /permission denied/i.test(words)
  const why = isForbidden ? 'cannot be executed' : 'does not exist in the image'
  return new TestfleetError('COMMAND_NOT_FOUND', `the program "${program}" ${why}`, {
    hint: isForbidden
      ? 'Make it executable: `mode: "0755"` in `copy`, or `chmod +x` before it is copied or mounted.'
      : hintForMissing(program),
    cause: words,
  })
}

function hintForMissing(program: string): string {
  if (/^[^/\s]+\/\S*$/.test(program)) return 'Write the whole path, or set `workingDir`, where relative paths start.'
  return 'Write the command as a list: the program, then each of its arguments. The program is looked up on the PATH of the image.'
}

/** Explains why the first ping found no usable engine. Every such failure has exit code 3. */
export function explainPing(location: EngineLocation, error: NodeJS.ErrnoException): TestfleetError {
  const code = error.code ?? ''
  if (code === 'EACCES' || code === 'EPERM') return forbidden(location, error)
  if (/CERT|SELF_SIGNED|ISSUER|LEAF_SIGNATURE|SSL|TLS|^EPROTO$/.test(code)) return insecure(location, error)
  if (isCut(error) || code.startsWith('HPE_')) return notDocker(location, describeConnectionError(error), error)
  return absent(location, error)
}

/** Whether a connection was made and then cut. */
export function isCut({ code = '' }: NodeJS.ErrnoException): boolean {
  return /^ECONNRESET$|^EPIPE$|PREMATURE_CLOSE/.test(code)
}

export function notDocker(location: EngineLocation, why: string, cause?: unknown): TestfleetError {
  return new TestfleetError('ENGINE_NOT_DOCKER', `${where(location)} is not a Docker engine: ${why}`, {
    hint: `Check ${say('engine')}, DOCKER_HOST and the docker context: another program uses this address.`,
    cause,
  })
}

export function wrongShape(location: EngineLocation): TestfleetError {
  return notDocker(location, 'its answer is not the expected JSON')
}

export function pingTimedOut(location: EngineLocation, timeoutMs: number): TestfleetError {
  const message = `the engine at ${where(location)} did not answer within ${timeoutMs / 1000} s`
  return new TestfleetError('ENGINE_TIMEOUT', message, {
    hint:
      'The engine hangs, is starting, or cannot be reached from here. Look at its log, then try again. ' +
      'Set TESTFLEET_ENGINE_TIMEOUT to give it more time.',
  })
}

export function forbidden(location: EngineLocation, cause?: unknown): TestfleetError {
  const isSocket = location.endpoint.kind === 'socket'
  return new TestfleetError('ENGINE_FORBIDDEN', `this user may not use the engine at ${where(location)}`, {
    hint: isSocket
      ? `Add the user to the docker group (sudo usermod -aG docker "$USER", then log in again), or use rootless Docker.${noLocal(location)}`
      : 'Check the credentials for the engine, or for the proxy before it.',
    cause,
  })
}

export function tooOld(location: EngineLocation, apiMax: string): TestfleetError {
  const message = `the engine at ${location.url} supports the API up to version ${apiMax}; testfleet needs ${oldestApi}`
  return new TestfleetError('ENGINE_TOO_OLD', message, {
    hint: 'Install Docker Engine 19.03 or newer, or Podman 4 or newer.',
  })
}

/** Fails because the engine no longer supports any version that testfleet knows. */
export function tooNew(location: EngineLocation, apiMin: string): TestfleetError {
  const message = `the engine at ${location.url} supports the API from version ${apiMin} on; this testfleet supports it up to ${newestApi}`
  return new TestfleetError('ENGINE_TOO_OLD', message, { hint: 'Install a newer testfleet, or an older engine.' })
}

function absent(location: EngineLocation, error: NodeJS.ErrnoException): TestfleetError {
  return new TestfleetError('NO_ENGINE', `no engine answers at ${where(location)}: ${describeConnectionError(error)}`, {
    hint: location.candidates === undefined ? hintForNamed(location.because) : hintForUsual(location),
    cause: error,
  })
}

function hintForNamed(because: string): string {
  const unset = because.startsWith('DOCKER_') ? `, or unset ${because} to use the usual sockets` : ''
  return `${because} names this engine. Start it, or name another with ${say('engine')} or DOCKER_HOST${unset}.`
}

function hintForUsual(location: EngineLocation): string {
  const { candidates = [] } = location
  return (
    'Install Docker Engine (https://docs.docker.com/engine/install/), start it (sudo systemctl start docker), ' +
    `or name it with ${say('engine')} or DOCKER_HOST. Searched: ${candidates.join(', ')}.${noLocal(location)}`
  )
}

function noLocal({ localProblem }: EngineLocation): string {
  return localProblem === undefined ? '' : ` The local engine, which needs none, cannot be used: ${localProblem}`
}

function insecure(location: EngineLocation, error: NodeJS.ErrnoException): TestfleetError {
  return new TestfleetError(
    'ENGINE_CONFIGURATION',
    `no secure connection to ${where(location)}: ${describeConnectionError(error)}`,
    {
      hint: 'Check the certificates in DOCKER_CERT_PATH or of the context, and that the engine uses TLS at this port.',
      cause: error,
    },
  )
}

function where(location: EngineLocation): string {
  return `${location.url} (${location.because})`
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'the socket does not exist',
  ENOTDIR: 'the socket does not exist',
  ECONNREFUSED: 'nothing listens there',
  // A socket address has room for 107 characters on Linux, 103 on macOS.
  EINVAL: 'the path is too long for a socket',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name cannot be looked up now',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'its host does not answer',
  ECONNRESET: 'the connection was cut before an answer came',
  EPIPE: 'the connection was cut before an answer came',
}

/** Describes a broken connection. */
export function describeConnectionError(error: NodeJS.ErrnoException): string {
  const code = error.code ?? ''
  if (code.startsWith('HPE_')) return 'its answer is not HTTP'
  return words[code] ?? (error.message || code || 'unknown error')
}

/** Handler for `catch` that turns NOT_FOUND into undefined and rethrows other failures. */
export function undefinedIfMissing(error: unknown): undefined {
  if (!isFailure(error, 'NOT_FOUND')) throw error
}
