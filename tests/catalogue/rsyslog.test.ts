import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    full: { preset: 'rsyslog', options: { format: 'json', maxMessageSize: '1k', tls: true } },
    plain: { preset: 'rsyslog' },
  })
})

afterAll(() => session.end())

/** util-linux's, which speaks both kinds of syslog. */
const logger = (server: string, ...words: string[]): Promise<CommandResult> =>
  session.client('logger', '--server', server, '--port', '514', ...words)

const logs = async (server: string): Promise<string> => (await session.fleet.done(['logs', server])).stdout

/** The log comes to the engine on its own. */
const shows = (server: string, what: RegExp | string) => expect.poll(() => logs(server)).toMatch(what)

test('works without options, by UDP and by TCP', async () => {
  expect(await logger('plain', '--udp', '--rfc3164', '--tag', 'shop', 'by datagram')).toMatchObject({ exitCode: 0 })
  await shows('plain', / shop: by datagram\n/)
  expect(await logs('plain')).not.toContain('error')
  expect(await logger('plain', '--tcp', '--rfc5424', '--octet-count', '--tag', 'shop', 'by stream')).toMatchObject({
    exitCode: 0,
  })
  await shows('plain', / shop.* by stream\n/)
})

test('receives messages from this machine, by UDP and by TCP', async () => {
  const { SYSLOG_HOST: host = '', SYSLOG_UDP_PORT: udp = '', SYSLOG_TCP_PORT: tcp = '' } = session.variables
  const send = (kind: string, port: string) =>
    session.host('logger', '--server', host, '--port', port, `--${kind}`, '--tag', 'host', `${kind} of the host`)
  expect(await send('udp', udp)).toMatchObject({ exitCode: 0 })
  expect(await send('tcp', tcp)).toMatchObject({ exitCode: 0 })
  await shows('plain', / host udp of the host\n/)
  await shows('plain', / host tcp of the host\n/)
})

test('writes all parts of a message as JSON', async () => {
  const parts = ['--sd-id', 'order@1', '--sd-param', 'item="nail"', '--msgid', 'SOLD', '--tag', 'shop']
  await logger('full', '--udp', '--rfc5424', '--priority', 'local3.warning', ...parts, 'a "quoted" naïve text')
  await shows('full', /"SOLD"/)
  const line = (await logs('full')).split('\n').find((text) => text.includes('SOLD')) ?? ''
  expect(JSON.parse(line.slice(line.indexOf('{')))).toMatchObject({
    facility: 'local3',
    severity: 'warning',
    program: 'shop',
    id: 'SOLD',
    by: 'udp',
    message: 'a "quoted" naïve text',
  })
  expect(line).toContain('item=\\"nail\\"')
})

test("speaks TLS with a certificate of the fleet's authority", async () => {
  const send = (text: string, roots: string) =>
    session.clientWith(
      `<14>1 2026-01-01T00:00:00Z client shop - SEALED - ${text}\n`,
      ...['openssl', 's_client', '-connect', 'full:6514', '-quiet', '-no_ign_eof'],
      ...['-verify_return_error', '-verify_hostname', 'full', '-no-CApath', '-no-CAstore', '-CAfile', roots],
    )
  expect((await send('nails', '/etc/ssl/certs/ca-certificates.crt')).stderr).toContain('verify return:1')
  await shows('full', /"by":"tls".*nails/)
  expect((await send('x', '/etc/ssl/certs/ISRG_Root_X1.pem')).stderr).toContain('certificate verify failed')
})

test('cuts messages at the length of its option', async () => {
  await logger('full', '--udp', '--size', '4k', '--tag', 'long', `${'x'.repeat(1500)}end`)
  await shows('full', /"long"/)
  expect(await logs('full')).not.toContain('xend')
})
