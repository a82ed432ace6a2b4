import { probeCoap } from './coap.ts'
import { probeFtp } from './ftp.ts'
import { probeHttpProxy } from './http-proxy.ts'
import { probeKerberos } from './kerberos.ts'
import { probeNtp } from './ntp.ts'
import { probePop3 } from './pop3.ts'
import { probeRadius } from './radius.ts'
import { probeSip } from './sip.ts'
import { probeSmb } from './smb.ts'
import { probeSnmp } from './snmp.ts'
import { probeSocks5 } from './socks5.ts'
import { probeStun } from './stun.ts'
import { probeTftp } from './tftp.ts'
import { probeXmpp } from './xmpp.ts'

/** The one file of this folder that others load, on demand: protocols that few fleets use. */
export const rareProbes = {
  coap: probeCoap,
  ftp: probeFtp,
  httpProxy: probeHttpProxy,
  kerberos: probeKerberos,
  ntp: probeNtp,
  pop3: probePop3,
  radius: probeRadius,
  sip: probeSip,
  smb: probeSmb,
  snmp: probeSnmp,
  socks5: probeSocks5,
  stun: probeStun,
  tftp: probeTftp,
  xmpp: probeXmpp,
}
