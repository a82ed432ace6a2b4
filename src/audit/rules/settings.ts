import { listSteps } from '../recipes.ts'
import type { Place, Sighting, Subject } from '../subject.ts'

/** Parameters of a network namespace whose value lets in what the safe one keeps out (Linux, ip-sysctl). */
const weakening: readonly (readonly [key: RegExp, value: string, effect: string])[] = [
  [/^net\.ipv[46]\.conf\.[^.]+\.accept_redirects$/, '1', 'lets others change its routes'],
  [/^net\.ipv[46]\.conf\.[^.]+\.accept_source_route$/, '1', 'lets senders choose the route'],
  [/^net\.ipv4\.conf\.[^.]+\.rp_filter$/, '0', 'lets forged senders in'],
  [/^net\.ipv4\.conf\.[^.]+\.route_localnet$/, '1', 'lets others reach what listens on loopback'],
  [/^net\.ipv4\.tcp_syncookies$/, '0', 'lets half-open connections fill it up'],
  [/^net\.ipv4\.icmp_echo_ignore_broadcasts$/, '0', 'lets it be used to flood others'],
]

const OFF = /^(?:|0|false|no|off)$/i
/** Variables of well-known images and programs that switch a protection off. */
const passwordOff =
  /^(?:MYSQL_ALLOW_EMPTY_PASSWORD|MARIADB_ALLOW_EMPTY_ROOT_PASSWORD|ALLOW_EMPTY_PASSWORD|ALLOW_ANONYMOUS_LOGIN|DISABLE_SECURITY_PLUGIN)$/

/** Kernel parameters and variables that take a protection away. */
export function* findSettings({ fleet }: Subject): Iterable<Sighting> {
  for (const server of fleet.servers.values()) {
    for (const [key, value] of server.sysctls) {
      const effect = weakening.find(([pattern, weak]) => pattern.test(key) && value === weak)?.[2]
      if (effect === undefined) continue
      const at = { value: ['servers', server.name, 'sysctls', key] }
      yield { id: 'sysctl-weakens', server: server.name, at, message: `${key}=${value} ${effect}` }
    }
    for (const [name, value] of server.environment) {
      const at = { value: ['servers', server.name, 'environment', name] }
      if (value.kind === 'text') yield* lookAtVariable(name, value.text, server.name, at)
    }
  }
  for (const { server, at, steps } of listSteps(fleet)) {
    for (const [name, text] of steps.environment)
      yield* lookAtVariable(name, text, server, { value: [...at, 'environment', name] })
  }
}

function* lookAtVariable(name: string, text: string, server: string | undefined, at: Place): Iterable<Sighting> {
  const message = `${name} is ${JSON.stringify(text)}`
  if ((passwordOff.test(name) && !OFF.test(text)) || (name === 'POSTGRES_HOST_AUTH_METHOD' && text === 'trust'))
    yield { id: 'protection-off', server, at, message }
  if (
    (/^(?:NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY)$/.test(name) && text === '0') ||
    (name === 'GIT_SSL_NO_VERIFY' && !OFF.test(text))
  )
    yield { id: 'tls-not-verified', server, at, message }
}
