import { TestfleetError } from '../../model/failures.ts'
import type { DockerLocation } from './location.ts'
import { formatSocket } from './parse-address.ts'

/** Why the first call found no engine that can be used. All of these end with exit code 3. */
export function explainPing(location: DockerLocation, error: NodeJS.ErrnoException): TestfleetError {
  const code = error.code ?? ''
  if (code === 'EACCES' || code === 'EPERM') return forbidden(location, error)
  if (/CERT|SELF_SIGNED|ISSUER|LEAF_SIGNATURE|SSL|TLS|^EPROTO$/.test(code)) return insecure(location, error)
  // A connection that was made and then cut, or an answer that is not HTTP.
  if (/^HPE_|^ECONNRESET$|^EPIPE$|PREMATURE_CLOSE/.test(code)) return notDocker(location, wordsOf(error), error)
  return absent(location, error)
}

export function notDocker(location: DockerLocation, why: string, cause?: unknown): TestfleetError {
  return new TestfleetError('ENGINE_NOT_DOCKER', `what answers at ${where(location)} is not a Docker engine: ${why}`, {
    hint: 'Something else has this address: look at --engine, DOCKER_HOST and the docker context.',
    cause,
  })
}

export function pingTimeout(location: DockerLocation, timeoutMs: number): TestfleetError {
  const message = `the engine at ${where(location)} gave no answer within ${timeoutMs} ms`
  return new TestfleetError('ENGINE_TIMEOUT', message, {
    hint: 'The engine hangs, is just starting, or cannot be reached from here. Look at its log, then try again.',
  })
}

export function forbidden(location: DockerLocation, cause?: unknown): TestfleetError {
  const isSocket = location.endpoint.kind === 'socket'
  return new TestfleetError('ENGINE_FORBIDDEN', `this user may not use the engine at ${where(location)}`, {
    hint: isSocket
      ? 'Add the user to the docker group (sudo usermod -aG docker "$USER", then log in anew), or use rootless Docker.'
      : 'The engine, or what stands in front of it, asks for other credentials.',
    cause,
  })
}

function absent(location: DockerLocation, error: NodeJS.ErrnoException): TestfleetError {
  return new TestfleetError('NO_ENGINE', `no engine answers at ${where(location)}: ${wordsOf(error)}`, {
    hint: location.candidates.length === 0 ? hintForNamed(location) : hintForUsual(location),
    cause: error,
  })
}

function hintForNamed({ because }: DockerLocation): string {
  const unset = because.startsWith('DOCKER_') ? `; without ${because} the usual sockets are looked at` : ''
  return `${because} says that the engine is there. Start it, or name another with --engine or DOCKER_HOST${unset}.`
}

function hintForUsual({ candidates }: DockerLocation): string {
  return (
    'Install Docker Engine (https://docs.docker.com/engine/install/), start it (sudo systemctl start docker), ' +
    `or say where it is with --engine or DOCKER_HOST. Looked for: ${candidates.map(formatSocket).join(', ')}.`
  )
}

function insecure(location: DockerLocation, error: NodeJS.ErrnoException): TestfleetError {
  return new TestfleetError('ENGINE_CONFIGURATION', `no secure connection to ${where(location)}: ${wordsOf(error)}`, {
    hint: 'Look at the certificates in DOCKER_CERT_PATH or of the context, and whether the engine speaks TLS at this port.',
    cause: error,
  })
}

function where(location: DockerLocation): string {
  return `${location.url} (${location.because})`
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ENOTDIR: 'there is no such socket',
  ECONNREFUSED: 'nothing listens there',
  // A socket's address has room for 107 characters on Linux, 103 on macOS.
  EINVAL: 'the path is too long for a socket',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be looked up now',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'its host does not answer',
  ECONNRESET: 'the connection was cut before an answer came',
  EPIPE: 'the connection was cut before an answer came',
}

export function wordsOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? ''
  if (code.startsWith('HPE_')) return 'its answer is not HTTP'
  return words[code] ?? (error.message || code || 'unknown error')
}
