import { type ExportReference, exportReferences, loginEnd } from '../formats/export-template.ts'
import type { ExternalUrl } from '../formats/external-url.ts'
import { isSecureScheme, plainScheme, schemesOfChecks } from '../formats/url-schemes.ts'
import { type NumberedPort, readCheck } from './external-ports.ts'

/** What is known of an external server: its URL, and what options of its preset add to that. */
export interface Known {
  readonly url: ExternalUrl
  /** The declared port that the URL stands for. */
  readonly main: NumberedPort | undefined
  readonly user: string | undefined
  readonly database: string | undefined
  /** Name of the secret with its password; undefined when nobody has named a password. */
  readonly password: string | undefined
}

/** Checks that log in, each with what it can do without. */
const logins: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['ftp', 'imap', 'mqtt', 'mysql', 'nats', 'pop3', 'smtp', 'socks5', 'httpProxy'].map((kind) => [kind, []]),
  ),
  amqp: ['vhost'],
  ldap: [],
  postgres: ['database'],
  redis: [],
}

/** Returns a check of the main port with the login and the TLS of the URL. Another one stays as it is. */
export function fitCheck(item: unknown, known: Known): unknown {
  const check = readCheck(item)
  if (check === undefined || check.port === undefined || check.port !== known.main?.container) return item
  const isSecure = isSecureScheme(known.url.scheme)
  const isSpoken = schemesOfChecks[check.kind]?.[0] === plainScheme(known.url.scheme)
  if (check.kind === 'http' || check.kind === 'https')
    return { [isSpoken ? (isSecure ? 'https' : 'http') : check.kind]: check.fields }
  const own = logins[check.kind]
  if (own === undefined) return item
  const fields = { ...check.fields }
  for (const name of ['user', 'password', ...own]) delete fields[name]
  const [plain, secure] = schemesOfChecks[check.kind] ?? []
  if (isSpoken && plain !== secure && (isSecure || fields.tls !== undefined)) fields.tls = isSecure
  return { [check.kind]: { ...fields, ...describeLogin(check.kind, known) } }
}

/** Returns the fields of a check that logs in as the URL says. */
function describeLogin(kind: string, { url, user, database, password: secret }: Known): object {
  const password = secret === undefined ? undefined : { secret }
  if (kind === 'redis') return password === undefined ? {} : { ...(user !== undefined && { user }), password }
  // Its user is a distinguished name, which a URL does not have as its user.
  if (kind === 'ldap' || user === undefined || password === undefined) return {}
  if (kind === 'postgres') return { user, password, ...(database !== undefined && { database }) }
  const vhost = kind === 'amqp' && url.path !== '' ? decodeURIComponent(url.path.slice(1)) : undefined
  return { user, password, ...(vhost !== undefined && { vhost }) }
}

/** Returns the check that speaks the protocol of the URL; undefined when there is none. */
export function findCheck(known: Known): unknown {
  const { url, main } = known
  if (main === undefined) return undefined
  const plain = plainScheme(url.scheme)
  // A web server may answer with any status: whether that is right, only its users know.
  const kind = Object.keys(schemesOfChecks).find((one) => schemesOfChecks[one]?.[0] === plain && plain !== 'http')
  if (kind !== undefined && kind !== 'tftp') return fitCheck({ [kind]: { port: main.container } }, known)
  return main.protocol === 'tcp' ? { tcp: main.container } : undefined
}

/**
 * Returns a template of `export` for an external server. One that is the URL of the main port becomes the server's own
 * URL. Undefined for one that needs what nobody has named.
 */
export function fitExport(template: string, known: Known, hasSecret: (name: string) => boolean): string | undefined {
  const references = exportReferences(template)
  if (isUrlOfMain(template, references, known)) return formatUrl(template, known)
  const { database } = known
  const unnamed = references.find((reference) => {
    if (reference.kind === 'secret') return !hasSecret(reference.name)
    if (reference.kind === 'database') return database === undefined
    if (reference.kind !== 'unknown') return false
    if (reference.text === 'option.user') return known.user === undefined
    return reference.text === 'option.database' && database === undefined
  })
  if (unnamed !== undefined) return undefined
  const login = loginEnd(template)
  return template.replaceAll('${database}', (_, at: number) =>
    asText(at < login ? encodeURIComponent(database ?? '') : (database ?? '')),
  )
}

function isUrlOfMain(template: string, references: readonly ExportReference[], { url, main }: Known): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(template)?.[1]
  if (scheme === undefined || plainScheme(scheme) !== plainScheme(url.scheme)) return false
  return references.some(
    (reference) => (reference.kind === 'port' || reference.kind === 'endpoint') && reference.port === main?.container,
  )
}

/** Keeps the scheme that clients of the template expect, unless TLS makes it another one. */
function formatUrl(template: string, { url, main, user, database, password }: Known): string {
  const written = template.slice(0, template.indexOf(':'))
  const scheme = isSecureScheme(written) === isSecureScheme(url.scheme) ? written : url.scheme
  const begin = loginEnd(template)
  const [own = '', path = '', query = ''] =
    /^[^/?]*(\/[^?]*)?(\?.*)?$/s.exec(template.slice(begin || written.length + 3)) ?? []
  const ofTemplate = own !== '' && !path.includes('${') ? path : ''
  const ofOptions = database === undefined ? '' : `/${encodeURIComponent(database)}`
  const names = [
    user === undefined ? '' : encodeURIComponent(user),
    password === undefined ? '' : `:\${secret.${password}}`,
  ]
  const login = names.join('') === '' ? '' : `${names.join('')}@`
  const end = `${asText(url.path) || ofOptions || ofTemplate}${asText(url.query) || query}`
  return `${scheme}://${login}\${endpoint.${main?.container}}${end}`
}

/** Text of a URL is no template. */
function asText(text: string): string {
  return text.replaceAll('$', '%24')
}
