import { TestfleetError } from '../../model/failures.ts'

export type Address =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'tcp'
      readonly scheme: 'tcp' | 'http' | 'https'
      readonly host: string
      readonly port: number | undefined
      readonly basePath: string
    }

const schemes = 'unix://, npipe://, tcp://, http:// and https://'

/** Reads an engine's address in the form of `DOCKER_HOST`. `origin` says in messages who gave it. */
export function parseAddress(text: string, origin: string, platform: NodeJS.Platform): Address {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text)
  if (match === null) {
    // The docker command reads a bare host:port as TCP.
    if (/^[\w.-]+:\d{1,5}$/.test(text)) return parseTcp('tcp', text, text, origin)
    throw misconfigured(
      text,
      origin,
      `it has no scheme; known are ${schemes}${text.startsWith('/') ? `. Is it unix://${text}?` : ''}`,
    )
  }
  const scheme = (match[1] ?? '').toLowerCase()
  const rest = match[2] ?? ''
  switch (scheme) {
    case 'unix':
      return { kind: 'socket', path: rest === '' ? defaultSocket(platform) : rest }
    case 'npipe':
      return { kind: 'socket', path: (rest === '' ? windowsPipe : rest).replaceAll('/', '\\') }
    case 'tcp':
    case 'http':
    case 'https':
      return parseTcp(scheme, rest, text, origin)
    case 'ssh':
      throw misconfigured(text, origin, 'engines over SSH are not spoken to', sshHint)
    default:
      throw misconfigured(text, origin, `${scheme}:// is not known; known are ${schemes}`)
  }
}

const sshHint =
  'Forward its socket (ssh -N -L /tmp/engine.sock:/var/run/docker.sock HOST) and use unix:///tmp/engine.sock; ' +
  'published ports are then ports of the remote host.'

const windowsPipe = '//./pipe/docker_engine'

export function defaultSocket(platform: NodeJS.Platform): string {
  return platform === 'win32' ? windowsPipe.replaceAll('/', '\\') : '/var/run/docker.sock'
}

function parseTcp(scheme: 'tcp' | 'http' | 'https', rest: string, text: string, origin: string): Address {
  const match = /^(\[[0-9a-f:.%]+\]|[\w.-]*)(?::(\d{1,5}))?(\/[\w.~/-]*)?$/i.exec(rest)
  if (match === null) throw misconfigured(text, origin, `it is not ${scheme}://HOST:PORT`)
  const port = match[2] === undefined ? undefined : Number(match[2])
  if (port !== undefined && (port < 1 || port > 65_535)) throw misconfigured(text, origin, `${port} is not a port`)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return {
    kind: 'tcp',
    scheme,
    host: host === '' ? '127.0.0.1' : host,
    port,
    basePath: (match[3] ?? '').replace(/\/+$/, ''),
  }
}

function misconfigured(text: string, origin: string, why: string, hint?: string): TestfleetError {
  // Messages must not show a password.
  const shown = text.replace(/\/\/[^/@]*@/, '//…@')
  return new TestfleetError('ENGINE_CONFIGURATION', `${origin} names the engine "${shown}": ${why}`, { hint })
}
