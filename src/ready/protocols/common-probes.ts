import type { ProtocolName } from '../../model/protocols.ts'
import type { ProtocolProbe } from '../probe.ts'
import { probeAmqp } from './amqp.ts'
import { probeDns } from './dns.ts'
import { probeImap } from './imap.ts'
import { probeLdap } from './ldap.ts'
import { probeMemcached } from './memcached.ts'
import { probeMqtt } from './mqtt.ts'
import { probeMysql } from './mysql.ts'
import { probeNats } from './nats.ts'
import { probePostgres } from './postgres.ts'
import { probeRedis } from './redis.ts'
import { probeSmtp } from './smtp.ts'
import { probeSsh } from './ssh.ts'

/** The probes of the common protocols, in one file that is loaded for all of them. */
export const commonProbes = {
  amqp: probeAmqp,
  dns: probeDns,
  imap: probeImap,
  ldap: probeLdap,
  memcached: probeMemcached,
  mqtt: probeMqtt,
  mysql: probeMysql,
  nats: probeNats,
  postgres: probePostgres,
  redis: probeRedis,
  smtp: probeSmtp,
  ssh: probeSsh,
} satisfies { readonly [Name in ProtocolName]?: ProtocolProbe<Name> }

export type CommonProbes = typeof commonProbes
