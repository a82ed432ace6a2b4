import { askHelper, type Helper } from './credential-helper.ts'
import { asRecord, asText, type DockerConfig, type DockerHome, readDockerConfig } from './docker-config.ts'

/** The docker command's login for a registry. */
export interface RegistryLogin {
  /** The value of `X-Registry-Auth`; undefined pulls without a login. */
  readonly header: string | undefined
  /** Why a login could not be read. Reported only when the pull fails, as most images need none. */
  readonly problem: string | undefined
}

type Login =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identityToken'; readonly token: string }
  | { readonly kind: 'registryToken'; readonly token: string }

/** The docker command's key for the login to docker.io. */
const dockerHubKey = 'https://index.docker.io/v1/'

/**
 * Finds the login for a registry as the docker command does: the helper that `credHelpers` names for it, else
 * `credsStore`'s, then `auths`.
 */
export async function findCredentials(
  host: string,
  where: DockerHome,
  signal: AbortSignal | undefined,
): Promise<RegistryLogin> {
  const config = await readDockerConfig(where)
  const key = host === 'docker.io' ? dockerHubKey : host
  const name = asText(config.credHelpers[key]) ?? asText(config.credHelpers[host]) ?? config.credsStore
  const asked = name === undefined ? noAnswer : await askHelper(name, key, where.environment, signal)
  const login = loginOfHelper(asked) ?? loginInFile(config, host, key)
  return { header: login && encode(login, key), problem: login === undefined ? asked.problem : undefined }
}

const noAnswer: Helper = { username: undefined, secret: undefined, problem: undefined }

function loginOfHelper({ username, secret }: Helper): Login | undefined {
  if (username === undefined || secret === undefined) return undefined
  // The helpers' protocol: this name says that the secret is an identity token.
  if (username === '<token>') return { kind: 'identityToken', token: secret }
  return { kind: 'password', username, password: secret }
}

function loginInFile({ auths }: DockerConfig, host: string, key: string): Login | undefined {
  // Old files hold whole URLs as keys.
  const found = auths[key] ?? auths[host] ?? Object.entries(auths).find(([name]) => hostOf(name) === hostOf(key))?.[1]
  const entry = asRecord(found)
  const identityToken = asText(entry.identitytoken)
  if (identityToken !== undefined) return { kind: 'identityToken', token: identityToken }
  const registryToken = asText(entry.registrytoken)
  if (registryToken !== undefined) return { kind: 'registryToken', token: registryToken }
  const [username, password] = splitAuth(asText(entry.auth))
  const name = username ?? asText(entry.username)
  const secret = password ?? asText(entry.password)
  return name === undefined || secret === undefined ? undefined : { kind: 'password', username: name, password: secret }
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/s, '')
}

/** `auth` is base64 of `user:password`; a password may hold colons. */
function splitAuth(auth: string | undefined): [string, string] | [undefined, undefined] {
  const text = auth === undefined ? '' : Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  // The docker command trims trailing zero bytes, which it once wrote.
  return colon < 1 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')]
}

/** Encodes in padded base64 for URLs: engines before 23 accept no other. */
function encode(login: Login, serveraddress: string): string {
  const text = JSON.stringify(fieldsOf(login, serveraddress))
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

function fieldsOf(login: Login, serveraddress: string): object {
  switch (login.kind) {
    case 'password':
      return { username: login.username, password: login.password, serveraddress }
    case 'identityToken':
      return { identitytoken: login.token, serveraddress }
    case 'registryToken':
      return { registrytoken: login.token }
  }
}
