import { askHelper, type Helper } from './credential-helper.ts'
import { asRecord, asText, type DockerConfig, type DockerHome, readDockerConfig } from './docker-config.ts'

/** Login of the docker command for a registry. */
export interface RegistryLogin {
  /** The value of `X-Registry-Auth`; undefined pulls without a login. */
  readonly header?: string | undefined
  /** Why a login could not be read. Reported only when the pull fails, because most images need no login. */
  readonly problem?: string | undefined
}

/** A login in the format of the engine's API. `serveraddress` is the docker command's key for the registry. */
type Login =
  | { readonly username: string; readonly password: string; readonly serveraddress: string }
  | { readonly identitytoken: string; readonly serveraddress: string }
  | { readonly registrytoken: string }

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
  const environment = where.helperEnvironment ?? where.environment
  const asked: Helper = name === undefined ? {} : await askHelper(name, key, environment, signal)
  const login = loginOfHelper(asked, key) ?? loginInFile(config, host, key)
  return login === undefined ? { problem: asked.problem } : { header: encode(login) }
}

function loginOfHelper({ username, secret }: Helper, serveraddress: string): Login | undefined {
  if (username === undefined || secret === undefined) return undefined
  // In the helpers' protocol, this user name marks the secret as an identity token.
  if (username === '<token>') return { identitytoken: secret, serveraddress }
  return { username, password: secret, serveraddress }
}

function loginInFile({ auths }: DockerConfig, host: string, serveraddress: string): Login | undefined {
  // Old files have whole URLs as keys.
  const old = Object.entries(auths).find(([name]) => hostOf(name) === hostOf(serveraddress))
  const entry = asRecord(auths[serveraddress] ?? auths[host] ?? old?.[1])
  const [identitytoken, registrytoken] = [asText(entry.identitytoken), asText(entry.registrytoken)]
  if (identitytoken !== undefined) return { identitytoken, serveraddress }
  if (registrytoken !== undefined) return { registrytoken }
  const [name, secret] = splitAuth(asText(entry.auth))
  const [username, password] = [name ?? asText(entry.username), secret ?? asText(entry.password)]
  return username === undefined || password === undefined ? undefined : { username, password, serveraddress }
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/s, '')
}

/** Decodes `auth`, which is base64 of `user:password`; the password may contain colons. */
function splitAuth(auth: string | undefined): [string, string] | [undefined, undefined] {
  const text = auth === undefined ? '' : Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  // The docker command trims trailing zero bytes, which old versions wrote.
  return colon < 1 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')]
}

/** Encodes in padded base64 for URLs: engines before 23 accept no other. */
function encode(login: Login): string {
  return Buffer.from(JSON.stringify(login)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}
