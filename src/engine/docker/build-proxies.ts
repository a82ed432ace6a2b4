import { asRecord, asText, type DockerHome, readDockerConfig } from './docker-config.ts'

/** Keys of `proxies` in config.json, with the variables that they set. */
const VARIABLES: Readonly<Record<string, string>> = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  ftpProxy: 'FTP_PROXY',
  noProxy: 'NO_PROXY',
  allProxy: 'ALL_PROXY',
}

/** Build arguments that the docker command adds, and a mask for the logins in them. */
export interface BuildProxies {
  readonly args: Readonly<Record<string, string>>
  hideLogins(text: string): string
}

/**
 * Returns the build arguments that the docker command makes of `proxies` in config.json: those of this engine, else the
 * default ones, each in capitals and in small letters. Builders know these arguments without an `ARG`, and keep them out
 * of the image, its history and their cache.
 */
export async function readBuildProxies(where: DockerHome | undefined, engineUrl: string): Promise<BuildProxies> {
  const { proxies = {} } = where === undefined ? {} : await readDockerConfig(where)
  const config = asRecord(Object.hasOwn(proxies, engineUrl) ? proxies[engineUrl] : proxies.default)
  const given = Object.entries(VARIABLES).flatMap(([key, variable]) => {
    const value = asText(config[key])
    return value === undefined ? [] : [[variable, value] as const, [variable.toLowerCase(), value] as const]
  })
  const logins = [...new Set(given.flatMap(([, value]) => loginIn(value)))]
  return {
    args: Object.fromEntries(given),
    hideLogins: (text) => logins.reduce((rest, login) => rest.replaceAll(login, '***'), text),
  }
}

/** Shorter passwords occur inside ordinary words. */
const SHORT_LENGTH = 4

/** Returns the login in a proxy's address, and its password alone, each as written and percent-decoded. */
function loginIn(address: string): readonly string[] {
  const login = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/]*)@/i.exec(address)?.[1]
  if (login === undefined) return []
  const password = login.slice(login.indexOf(':') + 1)
  return [login, password, decode(password)].filter((text) => text === login || text.length >= SHORT_LENGTH)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
