import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'
import { wide } from '../support/tiers.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue(
    {
      full: {
        preset: 'postgresql',
        options: {
          user: 'app',
          database: 'shop',
          seed: 'sql',
          users: { alice: { file: 'alice.txt' } },
          extensions: ['pgcrypto'],
          maxConnections: 7,
          settings: ["search_path=public, it's"],
          durable: true,
          superuser: true,
          tls: true,
        },
      },
      plain: { preset: 'postgresql' },
      open: { preset: 'postgresql', options: { login: false, user: 'app', database: 'shop' } },
    },
    {
      'sql/10-tables.sql': 'create table goods (id uuid primary key default gen_random_uuid(), name text);\n',
      'sql/20-goods.sql': "insert into goods (name) values ('nails'), ('naïve');\n",
      'sql/notes.txt': 'not SQL',
      'alice.txt': `it's "a" $password \\ of alice`,
    },
  )
})

afterAll(() => session.end())

interface Asking {
  readonly user?: string
  readonly database?: string
  readonly more?: string
}

async function query(server: string, password: string, sql: string, asking: Asking = {}): Promise<CommandResult> {
  const { user = 'app', database = 'shop', more = 'sslmode=disable' } = asking
  const words = ['--no-psqlrc', '--tuples-only', '--no-align', '--command', sql]
  const where = `host=${server} user=${user} dbname=${database} ${more}`
  return session.client('env', `PGPASSWORD=${password}`, 'psql', ...words, where)
}

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const asking = { user: 'test', database: 'test' }
  expect((await query('plain', password, 'create table a (b int); select 41 + 1', asking)).stdout).toBe(
    'CREATE TABLE\n42\n',
  )
  const settings =
    "select name || '=' || setting from pg_settings where name in ('fsync', 'server_encoding', 'wal_recycle', 'wal_segment_size') order by 1"
  expect((await query('plain', password, settings, asking)).stdout).toBe(
    'fsync=off\nserver_encoding=UTF8\nwal_recycle=off\nwal_segment_size=4194304\n',
  )
  const sql = "select current_user || ' at ' || current_database()"
  const { PGHOST, PGPORT, DATABASE_URL = '' } = session.variables
  expect(PGHOST).toBe('127.0.0.1')
  expect(DATABASE_URL).toBe(`postgres://test:${password}@127.0.0.1:${PGPORT}/test`)
  expect((await session.host('psql', '-At', '-c', sql)).stdout).toBe('test at test\n')
  expect((await session.host('psql', '-At', '-c', sql, DATABASE_URL)).stdout).toBe('test at test\n')
})

test('refuses a wrong password, and no password', async () => {
  const asking = { user: 'test', database: 'test' }
  expect((await query('plain', 'wrong', 'select 1', asking)).stderr).toContain(
    'password authentication failed for user "test"',
  )
  expect((await query('plain', 'wrong', 'select 1', { user: 'postgres', database: 'postgres' })).stderr).toContain(
    'password authentication failed for user "postgres"',
  )
  expect((await query('plain', '', 'select 1', asking)).stderr).toContain('no password supplied')
})

test('its user is a superuser only with its option', async () => {
  const sql = "select usesuper || ' ' || usecreatedb from pg_user where usename = current_user"
  const [plain, full] = await Promise.all([session.secret('plain', 'PASSWORD'), session.secret('full', 'PASSWORD')])
  expect((await query('plain', plain, sql, { user: 'test', database: 'test' })).stdout).toBe('false true\n')
  expect((await query('full', full, sql)).stdout).toBe('true true\n')
})

test('starts with its seed, which its user owns', async () => {
  const password = await session.secret('full', 'PASSWORD')
  expect((await query('full', password, 'select name from goods order by name')).stdout).toBe('nails\nnaïve\n')
  expect((await query('full', password, "select tableowner from pg_tables where tablename = 'goods'")).stdout).toBe(
    'app\n',
  )
})

test('has the additional users of its option, with the same rights', async () => {
  const alice = `it's "a" $password \\ of alice`
  const asking = { user: 'alice' }
  expect((await query('full', alice, "insert into goods (name) values ('x'); select 1", asking)).stdout).toContain('1')
  expect((await query('full', 'wrong', 'select 1', asking)).stderr).toContain('password authentication failed')
})

test('has the extensions and settings of its options', async () => {
  const password = await session.secret('full', 'PASSWORD')
  expect((await query('full', password, "select encode(digest('a', 'md5'), 'hex')")).stdout).toBe(
    '0cc175b9c0f1b6a831c399e269772661\n',
  )
  const show = "select current_setting('max_connections') || ' ' || current_setting('fsync')"
  expect((await query('full', password, show)).stdout).toBe('7 on\n')
  expect((await query('full', password, 'show search_path')).stdout).toBe("public, it's\n")
})

test("offers TLS with a certificate of the fleet's authority only with its option", async () => {
  const password = await session.secret('full', 'PASSWORD')
  const sql = 'select version from pg_stat_ssl where pid = pg_backend_pid()'
  const full = 'sslmode=verify-full sslrootcert='
  const roots = '/etc/ssl/certs/ca-certificates.crt'
  expect((await query('full', password, sql, { more: full + roots })).stdout).toBe('TLSv1.3\n')
  const strangers = '/etc/ssl/certs/ISRG_Root_X1.pem'
  expect((await query('full', password, sql, { more: full + strangers })).stderr).toContain('certificate verify failed')
  const plain = await query('plain', 'any', sql, { user: 'test', database: 'test', more: 'sslmode=require' })
  expect(plain.stderr).toContain('server does not support SSL')
})

test("gives `exec` a login to the user's database without a password", async () => {
  const sql = "select current_user || ' at ' || current_database()"
  expect((await session.fleet.done(['exec', 'full', '--', 'psql', '-Atc', sql])).stdout).toBe('app at shop\n')
})

test('needs no password with `login: false`', async () => {
  const { TESTFLEET_OPEN_DATABASE_URL: url } = session.variables
  expect(url).toMatch(/^postgres:\/\/app@127\.0\.0\.1:\d+\/shop$/)
  expect((await query('open', '', 'select 41 + 1')).stdout).toBe('42\n')
})

test('has its own system identifier', async () => {
  const sql = 'select system_identifier from pg_control_system()'
  const identify = async (server: string): Promise<bigint> =>
    BigInt((await session.fleet.done(['exec', server, '--', 'psql', '-Atc', sql])).stdout)
  const [plain, open] = await Promise.all([identify('plain'), identify('open')])
  expect(plain).toBeGreaterThan(0n)
  expect(plain).not.toBe(open)
})

test('fails a query that needs too much memory, and keeps other connections', wide, async () => {
  const pid = 'select pg_postmaster_start_time()'
  const before = await query('open', '', pid)
  const large = await query(
    'open',
    '',
    "select length(array_to_string(array_agg(repeat('x', 1000000)), '')) from generate_series(1, 900)",
  )
  expect(large.stderr).toContain('out of memory')
  expect((await query('open', '', pid)).stdout).toBe(before.stdout)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('postgres :5432: does not answer')
})
