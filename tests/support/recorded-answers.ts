import { createHash } from 'node:crypto'
import type { ProtocolName } from '../../src/model/protocols.ts'

/** What real servers have said, as Debian 12 has them: to nothing, to the first piece that they hear, to the second. */

const nothing = Buffer.alloc(0)

function text(said: string): Buffer {
  return Buffer.from(said)
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64, 'base64')
}

const recorded: { readonly [Name in ProtocolName]: readonly Buffer[] } = {
  // RabbitMQ 3.10
  amqp: [
    nothing,
    bytes(
      'AQAAAAAB+gAKAAoACQAAAdUMY2FwYWJpbGl0aWVzRgAAAMcScHVibGlzaGVyX2NvbmZpcm1zdAEaZXhjaGFuZ2VfZXhjaGFuZ2VfYmluZGluZ3N0AQpiYXNpYy5uYWNrdAEWY29uc3VtZXJfY2FuY2VsX25vdGlmeXQBEmNvbm5lY3Rpb24uYmxvY2tlZHQBE2NvbnN1bWVyX3ByaW9yaXRpZXN0ARxhdXRoZW50aWNhdGlvbl9mYWlsdXJlX2Nsb3NldAEQcGVyX2NvbnN1bWVyX3Fvc3QBD2RpcmVjdF9yZXBseV90b3QBDGNsdXN0ZXJfbmFtZVMAAAATcmFiYml0QGY0ZTM0MTRhY2E4OQljb3B5cmlnaHRTAAAAN0NvcHlyaWdodCAoYykgMjAwNy0yMDIyIFZNd2FyZSwgSW5jLiBvciBpdHMgYWZmaWxpYXRlcy4LaW5mb3JtYXRpb25TAAAAOUxpY2Vuc2VkIHVuZGVyIHRoZSBNUEwgMi4wLiBXZWJzaXRlOiBodHRwczovL3JhYmJpdG1xLmNvbQhwbGF0Zm9ybVMAAAARRXJsYW5nL09UUCAyNS4yLjMHcHJvZHVjdFMAAAAIUmFiYml0TVEHdmVyc2lvblMAAAAGMy4xMC44AAAADkFNUVBMQUlOIFBMQUlOAAAABWVuX1VTzg==',
    ),
  ],
  // libcoap 4.3
  coap: [nothing, bytes('cAC4wg==')],
  // BIND 9.18
  dns: [
    nothing,
    bytes(
      'EAyEAAABAAEAAQABA3d3dwNvbmUEdGVzdAAAAQABwAwAAQABAAAAPAAEwAACAsAQAAIAAQAAADwABQJuc8AQwDoAAQABAAAAPAAEwAACAQ==',
    ),
  ],
  // vsftpd 3.0
  ftp: [text('220 (vsFTPd 3.0.3)\r\n')],
  // Squid 5.7
  httpProxy: [
    nothing,
    text(
      'HTTP/1.1 407 Proxy Authentication Required\r\nServer: squid/5.7\r\nMime-Version: 1.0\r\nDate: Tue, 24 Nov 2026 15:53:22 GMT\r\n',
    ),
  ],
  // Dovecot 2.3
  imap: [
    text(
      '* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS AUTH=PLAIN] Dovecot (Debian) ready.\r\n',
    ),
  ],
  // MIT Kerberos 1.20
  kerberos: [
    nothing,
    bytes(
      'a4IC/zCCAvugAwIBBaEDAgELojAwLjAsoQMCAROiJQQjMCEwH6ADAgESoRgbFk9ORS5URVNUa3JidGd0T05FLlRFU1SjChsIT05FLlRFU1SkHTAboAMCAQKhFDASGwZrcmJ0Z3QbCE9ORS5URVNUpYIBsGGCAawwggGooAMCAQWhChsIT05FLlRFU1SiHTAboAMCAQKhFDASGwZrcmJ0Z3QbCE9ORS5URVNUo4IBdDCCAXCgAwIBEqEDAgEBooIBYgSCAV7GWqV7CGrnWOjGXz0/3W/mjJ+g+QI0OeLNZ42JaV0+Rupt5xpFzkcz2JipKEkf2hiPz/qGpn6lmVL3o5Ficj9TINdjtUaiWTWmPG7JLIfa7b64xZmEisKdFA6Rar7T7Nur0OykW2MWq9LOH1WZ6IvZ6EmAxJmXPvbsNWpsXpTdtYD8OyzDRiJBgAG1nv3LPo7tAwWJIkZoeSchM4XBU+5FntrEgO2ZOLhsPLGeLjnhllSD9b4IbGXzTOxsP67+bcvvA5AvFr1yexCRghmysU9bnlwQdTPc0/gui5zxAAWGl26XAXa3mVJInjr+3dw93VlFwGFdbenvDhX0gAqsQjLjuhd06nG0XZ0EN2sd977Lr0szVLGWJdo60TydVoG5HBm3RPJeBioTkxCdYBeKyzdOCXdbU+JGQphdcBiBcbumBaNc8Z/+Pq/OS7mrMt9bCNc1vQB6HZMrgZ9bkmQJzKaB3TCB2qADAgESooHSBIHPLIt+tLVI8h2DoFRo3Zo6gSRy7Zyujy5cb+hDNoLwwmlzyDwQJBwEV29CFcWfOkoAC4K9OgSK+1zf5ANMcWzjXxN5YntQFEzzbxc1KftfxNnYYgCAXU0uf4qKmrm8FZ5+sZ9qR1B5xhANfC0aFDnFDxOus6dOyfqynueQmZ3F4H3yAAxbJpOTDvNZ1Been3hef5tp0ttiDL2Sm6imJH5zd3AEVXUH8gXPTEgVrZxVm64MYWSFCZrE264NI8zHDQTFBzIggaVgLgFnJqJqRIoJ',
    ),
  ],
  // OpenLDAP 2.5
  ldap: [nothing, bytes('MAwCAQFhBwoBAAQABAA=')],
  // memcached 1.6
  memcached: [nothing, text('VERSION 1.6.18\r\n')],
  // Mosquitto 2.0
  mqtt: [nothing, bytes('IAIAAA==')],
  // MariaDB 10.11
  mysql: [
    bytes(
      'ZAAAAAo1LjUuNS0xMC4xMS4xOS1NYXJpYURCLTArZGViMTJ1MQAHAAAAXUo4d3BNbmQA/vctAgD/gRUAAAAAAAAdAAAAK0hpWF1KOyZNM1Y5AG15c3FsX25hdGl2ZV9wYXNzd29yZAA=',
    ),
  ],
  // nats-server 2.9
  nats: [
    text(
      'INFO {"server_id":"NCGZYDQCB3W6EOGR22W75YBVU45AA4DJQXP4AKAE42IQF6NNC5BOGLJ6","server_name":"NCGZYDQCB3W6EOGR22W75YBVU45AA4DJQXP4AKAE42IQF6NNC5BOGLJ6","version":"2.9.10","proto":1,"go":"go1.19.8","host":"0.0.0.0","port":4222,"headers":true,"auth_required":true,"max_payload":1048576,"client_id":6,"client_ip":"172.17.0.1"} \r\n',
    ),
    text('PONG\r\n'),
  ],
  // chrony 4.3
  ntp: [nothing, bytes('JAoA5gAAAAAAAAAAf38BAe6wMXz+ZYwpwQMMbQhZaD3usDF+HG84B+6wMX4eJ3d4')],
  // Dovecot 2.3
  pop3: [text('+OK Dovecot (Debian) ready.\r\n')],
  // PostgreSQL 15
  postgres: [nothing, bytes('UgAAABcAAAAKU0NSQU0tU0hBLTI1NgAA')],
  // FreeRADIUS 3.2
  radius: [nothing, bytes('Ai0AFF7TRZsez5lGfVFaDwN25PQ=')],
  // Redis 7.0
  redis: [nothing, text('+OK\r\n'), text('+PONG\r\n')],
  // Kamailio 5.6
  sip: [
    nothing,
    text(
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;rport=54790;branch=z9hG4bK57702b4c6d359be4;received=172.17.0.1\r\nFrom: <sip:testfleet@server.ready.test>;tag=57702b4c6d359be4\r\nTo: <sip:server.ready.test>;tag=bf8638324618dc61059d4c604476fea1.78550000\r\nCall-ID: 57702b4c6d359be4\r\nCSeq: 1 OPTIONS\r\nServer: kamailio (5.6.3 (x86_64/linux))\r\nContent-Length: 0\r\n\r\n',
    ),
  ],
  // Samba 4.17
  smb: [
    nothing,
    bytes(
      'AAAA/v5TTUJAAAAAAAAAAAAAAQABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABBAAMAEQMBAHNtYgAAAAAAAAAAAAAAAAAHAAAAAACAAAAAgAAAAIAAjHr4HkV83QEAAAAAAAAAAIAASgDQAAAAYEgGBisGAQUFAqA+MDygDjAMBgorBgEEAYI3AgIKoyowKKAmGyRub3RfZGVmaW5lZF9pbl9SRkM0MTc4QHBsZWFzZV9pZ25vcmUAAAAAAAABACYAAAAAAAEAIAABAD5eFCnq/20s67eDxcT5/uNDszUM7hcFcjWWgLYrFecn',
    ),
  ],
  // Postfix 3.7
  smtp: [
    text('220 6255c648b185 ESMTP Postfix (Debian/GNU)\r\n'),
    text(
      '250-6255c648b185\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n',
    ),
  ],
  // Net-SNMP 5.9
  snmp: [nothing, bytes('MDoCAQEEC3NlY3JldC1nb29koigCBFFEkHUCAQACAQAwGjAYBggrBgECAQEFAAQMZmQyMTdjNWJhNWFk')],
  // Dante 1.4
  socks5: [nothing, bytes('BQI=')],
  // OpenSSH 9.2
  ssh: [
    nothing,
    bytes(
      'U1NILTIuMC1PcGVuU1NIXzkuMnAxIERlYmlhbi0yK2RlYjEydTEwDQoAAARsCxRGfRevyINd0wJPeV20Js5SAAABPXNudHJ1cDc2MXgyNTUxOS1zaGE1MTIsc250cnVwNzYxeDI1NTE5LXNoYTUxMkBvcGVuc3NoLmNvbSxjdXJ2ZTI1NTE5LXNoYTI1NixjdXJ2ZTI1NTE5LXNoYTI1NkBsaWJzc2gub3JnLGVjZGgtc2hhMi1uaXN0cDI1NixlY2RoLXNoYTItbmlzdHAzODQsZWNkaC1zaGEyLW5pc3RwNTIxLGRpZmZpZS1oZWxsbWFuLWdyb3VwLWV4Y2hhbmdlLXNoYTI1NixkaWZmaWUtaGVsbG1hbi1ncm91cDE2LXNoYTUxMixkaWZmaWUtaGVsbG1hbi1ncm91cDE4LXNoYTUxMixkaWZmaWUtaGVsbG1hbi1ncm91cDE0LXNoYTI1NixrZXgtc3RyaWN0LXMtdjAwQG9wZW5zc2guY29tAAAAOXJzYS1zaGEyLTUxMixyc2Etc2hhMi0yNTYsZWNkc2Etc2hhMi1uaXN0cDI1Nixzc2gtZWQyNTUxOQAAAGxjaGFjaGEyMC1wb2x5MTMwNUBvcGVuc3NoLmNvbSxhZXMxMjgtY3RyLGFlczE5Mi1jdHIsYWVzMjU2LWN0cixhZXMxMjgtZ2NtQG9wZW5zc2guY29tLGFlczI1Ni1nY21Ab3BlbnNzaC5jb20AAABsY2hhY2hhMjAtcG9seTEzMDVAb3BlbnNzaC5jb20sYWVzMTI4LWN0cixhZXMxOTItY3RyLGFlczI1Ni1jdHIsYWVzMTI4LWdjbUBvcGVuc3NoLmNvbSxhZXMyNTYtZ2NtQG9wZW5zc2guY29tAAAA1XVtYWMtNjQtZXRtQG9wZW5zc2guY29tLHVtYWMtMTI4LWV0bUBvcGVuc3NoLmNvbSxobWFjLXNoYTItMjU2LWV0bUBvcGVuc3NoLmNvbSxobWFjLXNoYTItNTEyLWV0bUBvcGVuc3NoLmNvbSxobWFjLXNoYTEtZXRtQG9wZW5zc2guY29tLHVtYWMtNjRAb3BlbnNzaC5jb20sdW1hYy0xMjhAb3BlbnNzaC5jb20saG1hYy1zaGEyLTI1NixobWFjLXNoYTItNTEyLGhtYWMtc2hhMQAAANV1bWFjLTY0LWV0bUBvcGVuc3NoLmNvbSx1bWFjLTEyOC1ldG1Ab3BlbnNzaC5jb20saG1hYy1zaGEyLTI1Ni1ldG1Ab3BlbnNzaC5jb20saG1hYy1zaGEyLTUxMi1ldG1Ab3BlbnNzaC5jb20saG1hYy1zaGExLWV0bUBvcGVuc3NoLmNvbSx1bWFjLTY0QG9wZW5zc2guY29tLHVtYWMtMTI4QG9wZW5zc2guY29tLGhtYWMtc2hhMi0yNTYsaG1hYy1zaGEyLTUxMixobWFjLXNoYTEAAAAVbm9uZSx6bGliQG9wZW5zc2guY29tAAAAFW5vbmUsemxpYkBvcGVuc3NoLmNvbQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==',
    ),
  ],
  // Coturn 4.6
  stun: [
    nothing,
    bytes(
      'AQEAPCESpEKjH4TraMDHhx1ctUUAIAAIAAG7xY0DpEMAAQAIAAGa16wRAAGAKwAIAAENlgAAAACAIgAUQ290dXJuLTQuNi4xICdHb3JzdCc=',
    ),
  ],
  // tftpd-hpa 5.2
  tftp: [nothing, bytes('AAMAAWhlbGxvCg==')],
  // Prosody 0.12
  xmpp: [
    nothing,
    text(
      "<?xml version='1.0'?><stream:stream from='one.test' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='44513e1c-33ce-49d1-b036-2284579354fe' xmlns='jabber:client' xml:lang='en'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>",
    ),
  ],
}

/** Where the answer repeats what tells the question from others. */
const repeated: { readonly [Name in ProtocolName]?: (answer: Buffer, heard: Buffer) => Buffer } = {
  coap: (answer, heard) => repeat(answer, 2, heard.subarray(2, 4)),
  dns: (answer, heard) => repeat(answer, 0, heard.subarray(0, 2)),
  ntp: (answer, heard) => repeat(answer, 24, heard.subarray(40, 48)),
  radius: signRadius,
  sip: (answer, heard) => {
    const idOf = (message: Buffer): string => /^Call-ID: (.*)\r$/m.exec(message.toString())?.[1] ?? ''
    return Buffer.from(answer.toString().replaceAll(idOf(answer), idOf(heard)))
  },
  snmp: (answer, heard) => {
    const at = heard.indexOf(0xa0) + 4
    return repeat(answer, answer.indexOf(0xa2) + 4, heard.subarray(at, at + 4))
  },
  stun: (answer, heard) => repeat(answer, 4, heard.subarray(4, 20)),
}

function repeat(answer: Buffer, at: number, id: Buffer): Buffer {
  const whole = Buffer.from(answer)
  id.copy(whole, at)
  return whole
}

export const radiusSecret = 'secret-good'

function signRadius(answer: Buffer, heard: Buffer): Buffer {
  const head = repeat(answer, 1, heard.subarray(1, 2)).subarray(0, 4)
  const hash = createHash('md5').update(head).update(heard.subarray(4, 20)).update(radiusSecret)
  return Buffer.concat([head, hash.digest()])
}

/** After how many pieces it says the last of it. */
export function lastTurn(name: ProtocolName): number {
  return recorded[name].length - 1
}

export function recordedAnswer(name: ProtocolName, heard: Buffer, count: number): Buffer | undefined {
  const answer = recorded[name][count]
  return answer === undefined || heard.length === 0 ? answer : (repeated[name]?.(answer, heard) ?? answer)
}
