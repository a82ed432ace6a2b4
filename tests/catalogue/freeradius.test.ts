import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession
const odd = `it's a \\ "word"`

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'freeradius' },
      seeded: {
        preset: 'freeradius',
        options: { seed: 'users', users: { alice: { file: 'alice' } }, reply: ['Session-Timeout 600', 'Class staff'] },
      },
    },
    {
      users: 'bob Cleartext-Password := "of the seed"\n\tFilter-Id = "seeded"\n\n',
      alice: odd,
    },
  )
})

afterAll(() => session.end())

async function login(server: string, user: string, password: string, kind = 'pap'): Promise<string> {
  const secret = await session.secret(server, 'SECRET')
  return (await session.client('radtest', '-t', kind, user, password, server, '0', secret)).stdout
}

test('works without options, by each authentication protocol, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  for (const kind of ['pap', 'chap', 'mschap'])
    expect(await login('plain', 'test', password, kind)).toMatch(
      /Received Access-Accept .*\n\s+Reply-Message = "hello"/,
    )
  const { TESTFLEET_PLAIN_RADIUS_ADDRESS: address = '' } = session.variables
  const secret = await session.secret('plain', 'SECRET')
  const fromHost = await session.fromHost('radtest', 'test', password, address, '0', secret)
  expect(fromHost.stdout).toContain('Received Access-Accept')
})

test('rejects a wrong password', async () => {
  expect(await login('plain', 'test', 'wrong')).toContain('Received Access-Reject')
  expect(await login('plain', 'nobody', 'wrong')).toContain('Received Access-Reject')
})

test('starts with its seed, which can have a password with special characters', async () => {
  expect(await login('seeded', 'bob', 'of the seed')).toMatch(/Access-Accept .*\n\s+Filter-Id = "seeded"/)
  const secret = await session.secret('seeded', 'SECRET')
  const request = `User-Name = alice, User-Password = "${odd.replaceAll(/[\\"]/g, '\\$&')}"\n`
  const answer = (await session.clientWith(request, 'radclient', '-x', 'seeded', 'auth', secret)).stdout
  expect(answer).toMatch(/Access-Accept .*\n\s+Session-Timeout = 600\n\s+Class = 0x7374616666/)
})

test('accepts accounting requests, and ignores clients with a wrong secret', async () => {
  const ask = (secret: string) =>
    session.clientWith(
      'User-Name=test,Acct-Status-Type=Start,Acct-Session-Id=1\n',
      ...['radclient', '-x', '-r', '1', '-t', '2', 'plain', 'acct', secret],
    )
  expect((await ask(await session.secret('plain', 'SECRET'))).stdout).toContain('Received Accounting-Response')
  const { stdout, stderr } = await ask('wrong')
  expect(stdout + stderr).toContain('No reply from server')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^radius :181[23]: does not answer$/)
})
