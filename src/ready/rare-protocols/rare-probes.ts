/** The one file of this folder that others load: protocols that few fleets speak. Each probe is loaded on demand. */
export const rareProbes = {
  coap: async () => (await import('./coap.ts')).probeCoap,
  ftp: async () => (await import('./ftp.ts')).probeFtp,
  httpProxy: async () => (await import('./http-proxy.ts')).probeHttpProxy,
  kerberos: async () => (await import('./kerberos.ts')).probeKerberos,
  ntp: async () => (await import('./ntp.ts')).probeNtp,
  pop3: async () => (await import('./pop3.ts')).probePop3,
  radius: async () => (await import('./radius.ts')).probeRadius,
  sip: async () => (await import('./sip.ts')).probeSip,
  smb: async () => (await import('./smb.ts')).probeSmb,
  snmp: async () => (await import('./snmp.ts')).probeSnmp,
  socks5: async () => (await import('./socks5.ts')).probeSocks5,
  stun: async () => (await import('./stun.ts')).probeStun,
  tftp: async () => (await import('./tftp.ts')).probeTftp,
  xmpp: async () => (await import('./xmpp.ts')).probeXmpp,
}
