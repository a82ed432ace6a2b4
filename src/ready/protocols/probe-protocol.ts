import type { ProtocolCheck, ProtocolName } from '../../model/protocols.ts'
import { notYet, type Probe, silent } from '../check.ts'
import { hide } from './hide.ts'
import type { ProtocolProbe, Target } from './target.ts'

/** Each is loaded when it is asked for: a fleet speaks few of them. */
const probes: { readonly [Name in ProtocolName]: () => Promise<ProtocolProbe<Name>> } = {
  amqp: async () => (await import('./amqp.ts')).probeAmqp,
  coap: async () => (await import('./coap.ts')).probeCoap,
  dns: async () => (await import('./dns.ts')).probeDns,
  ftp: async () => (await import('./ftp.ts')).probeFtp,
  httpProxy: async () => (await import('./http-proxy.ts')).probeHttpProxy,
  imap: async () => (await import('./imap.ts')).probeImap,
  kerberos: async () => (await import('./kerberos.ts')).probeKerberos,
  ldap: async () => (await import('./ldap.ts')).probeLdap,
  memcached: async () => (await import('./memcached.ts')).probeMemcached,
  mqtt: async () => (await import('./mqtt.ts')).probeMqtt,
  mysql: async () => (await import('./mysql.ts')).probeMysql,
  nats: async () => (await import('./nats.ts')).probeNats,
  ntp: async () => (await import('./ntp.ts')).probeNtp,
  pop3: async () => (await import('./pop3.ts')).probePop3,
  postgres: async () => (await import('./postgres.ts')).probePostgres,
  radius: async () => (await import('./radius.ts')).probeRadius,
  redis: async () => (await import('./redis.ts')).probeRedis,
  sip: async () => (await import('./sip.ts')).probeSip,
  smb: async () => (await import('./smb.ts')).probeSmb,
  smtp: async () => (await import('./smtp.ts')).probeSmtp,
  snmp: async () => (await import('./snmp.ts')).probeSnmp,
  socks5: async () => (await import('./socks5.ts')).probeSocks5,
  ssh: async () => (await import('./ssh.ts')).probeSsh,
  stun: async () => (await import('./stun.ts')).probeStun,
  tftp: async () => (await import('./tftp.ts')).probeTftp,
  xmpp: async () => (await import('./xmpp.ts')).probeXmpp,
}

/** A check that speaks a protocol, as a probe. No secret that it tells the server is in what it answers. */
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

/** The table holds for each kind the probe of that kind. */
async function loadProbe(check: ProtocolCheck, target: Target): Promise<Probe> {
  const load = probes[check.kind] as () => Promise<ProtocolProbe<ProtocolName>>
  return (await load())(check as never, target)
}
