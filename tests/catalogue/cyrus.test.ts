import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue, trustOthers } from '../support/catalogue.ts'
import { makeFleet, type Servers } from '../support/story-fleet.ts'

let session: CatalogueSession

beforeAll(async () => {
  const message = (subject: string) =>
    `From: a@shop.test\nTo: b@shop.test\nSubject: ${subject}\n\nText of ${subject}.\n`
  session = await startCatalogue(
    {
      plain: { preset: 'cyrus', export: { PLAIN_URL: 'imap://${host}:${port.143}' } },
      more: {
        preset: 'cyrus',
        options: { tls: true, users: { alice: { generate: 24 } }, welcome: false, seed: 'seed' },
      },
    },
    { 'seed/alice/1.eml': message('One'), 'seed/alice/2.eml': message('Two') },
  )
})

afterAll(() => session.end())

const login = async (server: string, user = 'test', secret = 'PASSWORD') => [
  '--user',
  `${user}:${await session.secret(server, secret)}`,
]
const curl = (...words: string[]) => session.client('curl', '--silent', '--show-error', ...words)

test('has a mailbox with a message without options, for the network and the host', async () => {
  const user = await login('plain')
  expect((await curl(...user, '--request', 'EXAMINE INBOX', 'imap://plain/')).stdout).toContain('* 1 EXISTS')
  expect((await curl(...user, 'imap://plain/INBOX;MAILINDEX=1')).stdout).toMatch(/Subject: Welcome[\s\S]*mailbox works/)
  const url = `${session.variables.PLAIN_URL}/INBOX;MAILINDEX=1`
  expect((await session.host('curl', '--silent', ...user, url)).stdout).toContain('Subject: Welcome')
})

test('has the messages of its seed, each in the mailbox of its user', async () => {
  const alice = await login('more', 'alice', 'user.alice')
  expect((await curl(...alice, '--request', 'EXAMINE INBOX', 'imap://more/')).stdout).toContain('* 2 EXISTS')
  expect((await curl(...alice, 'imap://more/INBOX;MAILINDEX=2')).stdout).toContain('Text of Two.')
  expect((await curl(...alice, 'imap://more/INBOX?SUBJECT%20One')).stdout).toBe('* SEARCH 1\r\n')
  expect((await curl(...(await login('more')), '--request', 'EXAMINE INBOX', 'imap://more/')).stdout).toContain(
    '* 0 EXISTS',
  )
})

test('does not start with a seed that has a message for nobody', async () => {
  const server = (seed: string): Servers => ({ cyrus: { preset: 'cyrus', options: { seed } } })
  const letter = 'Subject: a\n\na\n'
  const files = { 'stray/a.eml': letter, 'kind/test/a.txt': letter, 'deep/test/more/a.eml': letter }
  const fleet = await makeFleet(server('stray'), { ...files, 'good/test/a.eml': letter, 'good/.gitkeep': '' })
  try {
    for (const [seed, lost] of Object.entries({ stray: 'a.eml', kind: 'test/a.txt', deep: 'test/more/a.eml' })) {
      await fleet.declare(server(seed))
      const { exitCode, stderr } = await fleet.call(['up'])
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`the seed has ${lost}, which nobody gets`)])
    }
    await fleet.declare(server('good'))
    expect((await fleet.call(['up'])).exitCode).toBe(0)
  } finally {
    await fleet.cleanUp()
  }
})

test('accepts the password of each user by several mechanisms, and no other', async () => {
  const user = await login('plain')
  const examine = ['--request', 'EXAMINE INBOX', 'imap://plain/']
  for (const way of ['AUTH=PLAIN', 'AUTH=LOGIN', 'AUTH=CRAM-MD5']) {
    expect((await curl(...user, '--login-options', way, ...examine)).stdout).toContain('* 1 EXISTS')
  }
  expect(await curl('--user', 'test:wrong', ...examine)).toMatchObject({ exitCode: 67, stdout: '' })
  expect(await curl(...(await login('more', 'alice', 'PASSWORD')), 'imap://more/')).toMatchObject({ exitCode: 67 })
})

test('stores a message', async () => {
  const user = await login('plain')
  await session.clientWith('Subject: kept\r\n\r\nText.\r\n', 'tee', '/tmp/message')
  expect(await curl(...user, '--upload-file', '/tmp/message', 'imap://plain/Drafts')).toMatchObject({ exitCode: 0 })
  expect((await curl(...user, 'imap://plain/Drafts;MAILINDEX=1')).stdout).toContain('Subject: kept')
})

test('speaks TLS with a certificate of the fleet, on both ports', async () => {
  const alice = await login('more', 'alice', 'user.alice')
  for (const url of ['imap://more/INBOX;MAILINDEX=1', 'imaps://more/INBOX;MAILINDEX=1']) {
    expect((await curl(...alice, '--ssl-reqd', url)).stdout).toContain('Text of One.')
    expect(await curl(...alice, '--ssl-reqd', ...trustOthers, url)).toMatchObject({ exitCode: 60, stdout: '' })
  }
  expect(await curl(...(await login('plain')), '--ssl-reqd', 'imap://plain/')).toMatchObject({ exitCode: 64 })
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('imap :143: does not answer')
})
