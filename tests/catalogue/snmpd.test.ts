import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      plain: { preset: 'snmpd' },
      seeded: {
        preset: 'snmpd',
        options: {
          seed: 'more.conf',
          users: { alice: { file: 'alice' } },
          location: 'rack 7',
          writable: true,
        },
      },
    },
    { 'more.conf': 'override -rw .1.3.6.1.2.1.25.1.5.0 uinteger 77\n', alice: 'a "quoted" \\ word' },
  )
})

afterAll(() => session.end())

const NAME = '.1.3.6.1.2.1.1.5.0'
const LOCATION = '.1.3.6.1.2.1.1.6.0'
const SEEDED = '.1.3.6.1.2.1.25.1.5.0'

async function ask(program: string, login: readonly string[], ...words: string[]): Promise<string> {
  const { stdout, stderr } = await session.client(program, '-t', '2', '-r', '0', '-O', 'nv', ...login, ...words)
  return stdout === '' ? stderr : stdout
}

const community = (name: string) => ['-v', '2c', '-c', name]
const user = (name: string, password: string) => [
  '-v',
  '3',
  '-l',
  'authPriv',
  '-u',
  name,
  '-a',
  'SHA',
  '-A',
  password,
  '-x',
  'AES',
  '-X',
  password,
]

test('works without options, for the community and for the user, from the network and from the host', async () => {
  const name = await session.secret('plain', 'COMMUNITY')
  const password = await session.secret('plain', 'PASSWORD')
  expect(await ask('snmpget', community(name), 'plain', NAME)).toBe('STRING: "test"\n')
  expect(await ask('snmpget', user('test', password), 'plain', NAME)).toBe('STRING: "test"\n')
  const { TESTFLEET_PLAIN_SNMP_ADDRESS: address = '' } = session.variables
  const fromHost = await session.fromHost('snmpget', '-O', 'nv', ...user('test', password), address, NAME)
  expect(fromHost.stdout).toBe('STRING: "test"\n')
})

test('does not answer other communities, passwords and levels', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect(await ask('snmpget', community('public'), 'plain', NAME)).toMatch(/Timeout: No Response/)
  expect(await ask('snmpget', user('test', 'wrong password'), 'plain', NAME)).toMatch(/Authentication failure/)
  const clear = ['-v', '3', '-l', 'authNoPriv', '-u', 'test', '-a', 'SHA', '-A', password]
  expect(await ask('snmpget', clear, 'plain', NAME)).toMatch(/authorizationError/)
})

test('starts with its seed, for a user whose password has special characters', async () => {
  const login = user('alice', 'a "quoted" \\ word')
  expect(await ask('snmpget', login, 'seeded', LOCATION)).toBe('STRING: "rack 7"\n')
  expect(await ask('snmpget', login, 'seeded', SEEDED)).toBe('Gauge32: 77\n')
})

test('allows writing only with `writable`', async () => {
  const login = community(await session.secret('plain', 'COMMUNITY'))
  expect(await ask('snmpset', login, 'plain', LOCATION, 's', 'moved')).toMatch(/noAccess/)
  expect(await ask('snmpset', user('alice', 'a "quoted" \\ word'), 'seeded', SEEDED, 'u', '8')).toBe('Gauge32: 8\n')
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('snmp :161: does not answer')
})
