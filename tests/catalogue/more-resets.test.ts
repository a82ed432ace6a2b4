import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import { SOON_MS } from '../support/command.ts'
import { proveReset, resetServer, talk } from '../support/prove-reset.ts'
import { wide } from '../support/tiers.ts'

let session: CatalogueSession

const secret = (server: string) => session.secret(server, 'PASSWORD')
const curl = async (server: string, ...words: string[]) =>
  (await session.client('curl', '--silent', '--max-time', '20', '--user', `test:${await secret(server)}`, ...words))
    .stdout
const upload = async (server: string, url: string, text = 'mark\n') => {
  const put = 'cat > /tmp/mark && curl --silent --show-error --max-time 20 --user "$1" --upload-file /tmp/mark "$2"'
  const { stderr } = await session.clientWith(text, 'sh', '-c', put, 'sh', `test:${await secret(server)}`, url)
  expect(stderr).toBe('')
}
const inside = async (server: string, ...words: string[]) =>
  (await session.fleet.call(['exec', server, '--', ...words])).stdout
const script = async (text: string, ...words: string[]) =>
  (await session.client('sh', '-c', text, 'sh', ...words)).stdout
const message = 'From: a@example.test\r\nSubject: mark\r\n\r\nmark\r\n'
const register =
  '<stream:stream to="example.test" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" version="1.0">' +
  '<iq type="set" id="r1"><query xmlns="jabber:iq:register"><username>mark</username><password>p</password></query></iq>'

const countMail = () => curl('mail', 'imap://mail/INBOX', '-X', 'STATUS INBOX (MESSAGES)')

/** A client leaves a mark, and looks for it; `pristine` is what it finds where there is none. */
const marks: Readonly<Record<string, { leave(): Promise<unknown>; look(): Promise<string>; pristine: RegExp }>> = {
  apache2: {
    leave: () => upload('apache2', 'http://apache2/dav/mark'),
    look: () => curl('apache2', 'http://apache2/dav/mark'),
    pristine: /404 Not Found/,
  },
  bind9: {
    leave: async () => {
      const key = `hmac-sha256:test:${Buffer.from(await secret('bind9')).toString('base64')}`
      const update = 'server bind9\nupdate add mark.example.test 60 TXT "mark"\nsend\n'
      await session.clientWith(update, 'nsupdate', '-y', key)
    },
    look: () => script('dig @bind9 +short mark.example.test TXT; dig @bind9 +short www.example.test'),
    pristine: /^192\.0\.2\.80\n$/,
  },
  coap: {
    leave: () => script('coap-client-gnutls -B 3 -m put -e mark coap://coap/mark'),
    look: () =>
      script('coap-client-gnutls -B 3 coap://coap/mark; coap-client-gnutls -B 3 coap://coap/.well-known/core'),
    pristine: /^(?!.*mark).*async/s,
  },
  cyrus: {
    leave: () => upload('cyrus', 'imap://cyrus/INBOX', message),
    look: () => curl('cyrus', 'imap://cyrus/INBOX', '-X', 'STATUS INBOX (MESSAGES)'),
    pristine: /MESSAGES 1\)/,
  },
  'docker-registry': {
    leave: async () => {
      const push = `
        place=$(curl -sS -u "$1" -X POST -D - http://docker-registry:5000/v2/mark/blobs/uploads/ | sed -n 's/^[Ll]ocation: //p' | tr -d '\\r')
        curl -sS -u "$1" -X PUT --data-binary mark "$place&digest=sha256:$(printf mark | sha256sum | cut -d ' ' -f 1)"`
      await script(push, `test:${await secret('docker-registry')}`)
    },
    look: async () => inside('docker-registry', 'find', '/data', '-name', 'mark'),
    pristine: /^$/,
  },
  etcd: {
    leave: () => inside('etcd', 'etcdctl', 'put', 'mark', 'mark'),
    look: () => inside('etcd', 'etcdctl', 'get', '', '--prefix'),
    pristine: /^$/,
  },
  mail: {
    leave: async () => {
      await script('swaks --silent 3 --to test@example.test --from a@example.test --server mail')
      await vi.waitFor(async () => expect(await countMail()).toMatch(/MESSAGES 1\)/), {
        timeout: SOON_MS,
        interval: 500,
      })
    },
    look: () => countMail(),
    pristine: /MESSAGES 0\)/,
  },
  prosody: {
    leave: () => talk(session, 'prosody', '5222/tcp', register, 'r1'),
    look: () => inside('prosody', 'ls', '/data/example%2etest/accounts'),
    pristine: /^test\.dat\n$/,
  },
  samba: {
    leave: async () =>
      script('cd /etc && smbclient //samba/files -U "$1" -c "put hostname mark"', `test%${await secret('samba')}`),
    look: async () => script('smbclient //samba/files -U "$1" -c ls', `test%${await secret('samba')}`),
    pristine: /^(?!.*mark).*blocks available/s,
  },
  squid: {
    leave: () => script('curl --silent --proxy http://squid:3128 http://nginx/'),
    look: () => script('curl --silent --include --proxy http://squid:3128 http://nginx/ | grep -i "^X-Cache:"'),
    pristine: /MISS/,
  },
  tftpd: {
    leave: () => script('tftp -m binary tftpd -c put /etc/hostname mark'),
    look: () => inside('tftpd', 'ls', '-A', '/srv/tftp'),
    pristine: /^\.ready\n$/,
  },
}

/** What their clients change ends with the program. */
const others = [
  'chrony',
  'coturn',
  'danted',
  'dnsmasq',
  'echo',
  'freeradius',
  'ftp-proxy',
  'haproxy',
  'kamailio',
  'krb5-kdc',
  'nginx',
  'snmpd',
]

const options: Readonly<Record<string, Record<string, string | boolean | string[]>>> = {
  'ftp-proxy': { server: 'vsftpd' },
  haproxy: { servers: ['docker-registry:5000'] },
  prosody: { registration: true },
  snmpd: { writable: true },
  tftpd: { writable: true },
}

/** More servers at a time would keep an engine busy for minutes. */
const fleets = [
  ['apache2', 'bind9', 'coap', 'cyrus', 'docker-registry', 'etcd', 'haproxy', 'krb5-kdc', 'snmpd'],
  ['mail', 'prosody', 'samba', 'tftpd', 'vsftpd', 'ftp-proxy', 'chrony', 'coturn', 'danted'],
  ['nginx', 'squid', 'dnsmasq', 'echo', 'freeradius', 'kamailio'],
]

describe.each(fleets)('the recipes of %s and others', wide, (...names) => {
  beforeAll(async () => {
    session = await startCatalogue(
      Object.fromEntries(names.map((preset) => [preset, { preset, options: options[preset] ?? {} }])),
    )
  })

  afterAll(() => session.end())

  test.each(names.filter((name) => name in marks || others.includes(name)))(
    'a reset of %s leaves no mark, no file and no connection of a client',
    async (server) => {
      await resetServer(session, server)
      const mark = marks[server]
      await mark?.leave()
      if (mark !== undefined) expect(await mark.look()).not.toMatch(mark.pristine)
      await proveReset(session, server, server === 'apache2' ? 'GET' : '')
      if (mark !== undefined) expect(await mark.look()).toMatch(mark.pristine)
    },
  )
})
