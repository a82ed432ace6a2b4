import { hasNoNul, isWholeText } from './grammar.ts'
import type { Protocol } from './port-range.ts'
import { checksOverUdp, defaultPort, plainScheme } from './url-schemes.ts'

/** The URL of a server that runs already, taken apart and decoded. */
export interface ExternalUrl {
  /** In lower case, as written: `postgres` and `postgresql` are different. */
  readonly scheme: string
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  readonly protocol: Protocol
  readonly user: string | undefined
  readonly password: string | undefined
  /** With its leading slash, still percent-encoded; empty for none. */
  readonly path: string
  /** With its question mark, still percent-encoded; empty for none. */
  readonly query: string
  /** The whole URL without the password. */
  readonly shown: string
}

const MOST_CHARACTERS = 1024
const HOST = /^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/

/** Names of parameters whose values are secrets. */
const SECRET =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signature)$|^(?:sig|auth)$/i

/** Reads a URL, or returns what is wrong with it. The message never quotes the URL, which may hold a password. */
export function readExternalUrl(text: string): ExternalUrl | string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase() ?? ''
  const mistake = findTextMistake(text, scheme)
  if (mistake !== undefined) return mistake
  // Schemes that `URL` knows have rules of their own, such as to leave out a port that is usual.
  const url = parse(`x-${text}`)
  if (url === undefined) return 'must be a URL with a host, and with a port from 1 to 65535 if it has one'
  const { port, protocol } = findPort(url.port, scheme)
  // Only an IPv6 address has brackets, and `URL` has checked it.
  const isAddress = url.hostname.startsWith('[')
  const host = isAddress ? url.hostname.slice(1, -1) : url.hostname.toLowerCase()
  const [user, password, path] = [url.username, url.password, url.pathname].map(decode)
  if (!isAddress && !HOST.test(host)) return 'must have a host: a name or an IP address'
  if (port === undefined || port === 0) return `must name a port, such as ${scheme}://host:1234`
  if (user === undefined || password === undefined || path === undefined)
    return 'must have a user, a password and a path of valid text, percent-encoded'
  const secret = [...url.searchParams.keys()].find((name) => SECRET.test(name))
  if (secret !== undefined)
    return `must not have \`${secret}\` in its query, where everyone would see it; write a password as user:password@host`
  return {
    scheme,
    host,
    port,
    protocol,
    user: user || undefined,
    password: password || undefined,
    path: url.pathname === '/' ? '' : url.pathname,
    query: url.search,
    shown: withoutPassword(url).slice('x-'.length),
  }
}

function findPort(written: string, scheme: string): { readonly port: number | undefined; readonly protocol: Protocol } {
  const usual = defaultPort(scheme)
  const isUdp = scheme === 'udp' || checksOverUdp.has(plainScheme(scheme))
  return {
    port: written === '' ? usual?.port : Number(written),
    protocol: usual?.protocol ?? (isUdp ? 'udp' : 'tcp'),
  }
}

function findTextMistake(text: string, scheme: string): string | undefined {
  if (text.length > MOST_CHARACTERS) return `must be a URL of at most ${MOST_CHARACTERS} characters`
  // `URL` removes or encodes them, so that it would not be the text that was written.
  if (/[^\x21-\x7e]/.test(text)) return 'must be a URL without spaces; write other characters percent-encoded'
  if (scheme === '') return 'must be a URL such as postgres://user@host:5432/database or tcp://host:port'
  return text.includes('#') ? 'cannot have a part after `#`; write %23 for that character' : undefined
}

function withoutPassword(url: URL): string {
  const shown = new URL(url.href)
  shown.password = ''
  return shown.href
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function decode(part: string): string | undefined {
  try {
    const text = decodeURIComponent(part)
    return isWholeText(text) && hasNoNul(text) ? text : undefined
  } catch {
    return undefined
  }
}
