import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'mail' },
      seeded: {
        preset: 'mail',
        options: {
          domain: 'seed.test',
          seed: 'mailboxes',
          users: { alice: { file: 'alice' } },
          tls: true,
        },
      },
    },
    {
      'mailboxes/alice/one.eml': 'From: a@seed.test\nSubject: of the seed\n\nhello\n',
      alice: 'it\'s a \\ "word": {}',
    },
  )
})

afterAll(() => session.end())

const swaks = async (...words: string[]) => (await session.client('swaks', ...words)).stdout

/** The text of the messages of a mailbox, as soon as there are as many. */
async function fetchMail(server: string, login: string, count: number): Promise<string> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const status = await session.client('curl', '-s', '-u', login, `imap://${server}/`, '-X', 'STATUS INBOX (MESSAGES)')
    if (status.stdout.includes(`(MESSAGES ${count})`)) break
    if (Date.now() > deadline) throw new Error(`there are not ${count} messages: ${status.stdout}${status.stderr}`)
  }
  return (await session.client('curl', '-s', '-u', login, `imap://${server}/INBOX;UID=[1-${count}]`)).stdout
}

test('delivers mail without options, to be read by IMAP and POP3, and from the host', async () => {
  const login = `test:${await session.secret('plain', 'PASSWORD')}`
  const sent = await swaks(
    '--server',
    'plain',
    '--from',
    'a@other.test',
    '--to',
    'test@example.test',
    '--body',
    'hi there',
  )
  expect(sent).toMatch(/250 2\.0\.0 Ok: queued as/)
  expect(await fetchMail('plain', login, 1)).toMatch(/From: a@other\.test\r\n[\s\S]*\r\nhi there\r\n/)
  const popped = await session.client('curl', '-s', '-u', login, 'pop3://plain/1')
  expect(popped.stdout).toContain('\r\nhi there\r\n')
  const { host, port } = session.published('plain', '143/tcp')
  const fromHost = await session.host('curl', '-s', '-u', login, `imap://${host}:${port}/INBOX;UID=1`)
  expect(fromHost.stdout).toContain('\r\nhi there\r\n')
})

test('accepts mail on the submission port only after a login', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const submit = (...login: string[]) =>
    swaks(
      '--server',
      'plain:587',
      '--from',
      'x@example.test',
      '--to',
      'test@example.test',
      '--quit-after',
      'RCPT',
      ...login,
    )
  expect(await submit('--auth-user', 'test', '--auth-password', password)).toMatch(/250 2\.1\.5 Ok/)
  expect(await submit('--auth-user', 'test', '--auth-password', 'wrong')).toContain(
    '535 5.7.8 Error: authentication failed',
  )
  expect(await submit()).toContain('Client host rejected: Access denied')
  const curl = (url: string) => session.client('curl', '-sS', '-u', 'test:wrong', url)
  expect((await curl('imap://plain/')).stderr).toContain('Login denied')
  expect((await curl('pop3://plain/')).stderr).toContain('Login denied')
})

test('relays no mail, not even for its users', async () => {
  const login = ['--auth-user', 'test', '--auth-password', await session.secret('plain', 'PASSWORD')]
  const to = (server: string, address: string, ...more: string[]) =>
    swaks('--server', server, '--from', 'test@example.test', '--to', address, '--quit-after', 'RCPT', ...more)
  expect(await to('plain', 'x@elsewhere.test')).toContain('Relay access denied')
  expect(await to('plain:587', 'x@elsewhere.test', ...login)).toContain('Relay access denied')
  expect(await to('plain', 'nobody@example.test')).toMatch(/550 5\.1\.1 .* User unknown/)
})

test('starts with its seed', async () => {
  expect(await fetchMail('seeded', 'alice:it\'s a \\ "word": {}', 1)).toContain('Subject: of the seed')
})

test("speaks TLS to clients that trust the fleet's authority", async () => {
  const name = session.report.servers.seeded?.hostname ?? ''
  const login = ['-u', `test:${await session.secret('seeded', 'PASSWORD')}`]
  const stranger = ['--capath', '/none', '--cacert', '/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt']
  const message = ['--mail-from', 'test@seed.test', '--mail-rcpt', 'alice@seed.test', '-T', '/etc/hostname']
  const curl = (...words: string[]) => session.client('curl', '-sS', ...login, ...words)
  for (const url of [`imaps://${name}/`, `pop3s://${name}/`, `imap://${name}/`, `pop3://${name}/`])
    expect(await curl('--ssl-reqd', url)).toMatchObject({ exitCode: 0, stderr: '' })
  for (const url of [`smtps://${name}/`, `smtp://${name}:587/`])
    expect(await curl('--ssl-reqd', ...message, url)).toMatchObject({ exitCode: 0, stderr: '' })
  for (const url of [`smtps://${name}/`, `imaps://${name}/`, `pop3s://${name}/`])
    expect((await curl(...stranger, url)).stderr).toContain('SSL certificate problem')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^(?:smtp|imap|pop3) :\d+: does not answer$/)
})
