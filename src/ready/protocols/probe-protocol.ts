import type { ProtocolCheck, ProtocolName } from '../../model/protocols.ts'
import { notYet, type Probe, type ProtocolProbe, silent, type Target } from '../probe.ts'

type LoadProbe<Name extends ProtocolName> = () => Promise<ProtocolProbe<Name>>

/** Probes of the common protocols. Each is loaded on demand: a fleet speaks few of them. */
const commonProbes = {
  amqp: async () => (await import('./amqp.ts')).probeAmqp,
  dns: async () => (await import('./dns.ts')).probeDns,
  imap: async () => (await import('./imap.ts')).probeImap,
  ldap: async () => (await import('./ldap.ts')).probeLdap,
  memcached: async () => (await import('./memcached.ts')).probeMemcached,
  mqtt: async () => (await import('./mqtt.ts')).probeMqtt,
  mysql: async () => (await import('./mysql.ts')).probeMysql,
  nats: async () => (await import('./nats.ts')).probeNats,
  postgres: async () => (await import('./postgres.ts')).probePostgres,
  redis: async () => (await import('./redis.ts')).probeRedis,
  smtp: async () => (await import('./smtp.ts')).probeSmtp,
  ssh: async () => (await import('./ssh.ts')).probeSsh,
} satisfies { readonly [Name in ProtocolName]?: LoadProbe<Name> }

/** The other protocols. Their folder uses only what a plug-in could use: `probe.ts` and the ways to talk in this folder. */
type RareProbes = { readonly [Name in Exclude<ProtocolName, keyof typeof commonProbes>]: LoadProbe<Name> }

/** Probe of a check that speaks a protocol. Its answers never contain a secret that it sent. */
export function probeProtocol(check: ProtocolCheck, target: Target): Probe {
  const secrets = new Set<string>()
  const readSecret: Target['readSecret'] = async (name) => {
    const secret = await target.readSecret(name)
    secrets.add(secret)
    return secret
  }
  let probe: Promise<Probe> | undefined
  return async (signal, patienceMs) => {
    probe ??= loadProbe(check, { ...target, readSecret })
    const answer = await (await probe)(signal, patienceMs)
    if (answer.isReady) return answer
    return (answer.isSilent ? silent : notYet)([...secrets].reduce(hide, answer.answer))
  }
}

/** The tables have the probe of each kind under its name. */
async function loadProbe(check: ProtocolCheck, target: Target): Promise<Probe> {
  const probes: Partial<Record<ProtocolName, unknown>> =
    check.kind in commonProbes ? commonProbes : await loadRareProbes()
  const load = probes[check.kind] as LoadProbe<ProtocolName>
  return (await load())(check as never, target)
}

async function loadRareProbes(): Promise<RareProbes> {
  return (await import('../rare-protocols/rare-probes.ts')).rareProbes
}

/** An answer can be cut short: this many characters of a secret already give it away. */
const MIN_SHOWN = 4

/** Removes a secret, or the beginning of one, from an answer: a server can repeat a password that it was sent. */
export function hide(answer: string, secret: string): string {
  const shown = JSON.stringify(Buffer.from(secret).toString('latin1')).slice(1, -1)
  const begin = shown.slice(0, MIN_SHOWN)
  if (begin === '') return answer
  let hidden = ''
  let rest = answer
  for (let at = rest.indexOf(begin); at !== -1; at = rest.indexOf(begin)) {
    hidden += `${rest.slice(0, at)}…`
    rest = rest.slice(at + countSame(rest.slice(at), shown))
  }
  return hidden + rest
}

function countSame(one: string, other: string): number {
  let count = 0
  while (count < other.length && one[count] === other[count]) count++
  return count
}
