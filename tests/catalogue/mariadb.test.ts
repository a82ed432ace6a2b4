import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password \\ of alice`

beforeAll(async () => {
  session = await startCatalogue(
    {
      full: {
        preset: 'mariadb',
        options: {
          user: 'app',
          database: 'shop_1',
          seed: 'sql',
          users: { alice: { file: 'alice.txt' } },
          collation: 'utf8mb4_bin',
          maxConnections: 17,
          settings: ['sql_mode=ANSI', `init_connect=SET @a = 'it''s "so"'`],
          durable: true,
          tls: true,
        },
      },
      almighty: { preset: 'mariadb', options: { superuser: true, seed: 'sql/10-tables.sql' } },
      plain: { preset: 'mariadb' },
      open: { preset: 'mariadb', options: { login: false }, limits: { memory: '256m' } },
    },
    {
      'sql/10-tables.sql': 'create table goods (id int primary key auto_increment, name text);\n',
      'sql/20-goods.sql': "insert into goods (name) values ('nails'), ('naïve');\n",
      'sql/notes.txt': 'not SQL',
      'alice.txt': alicesPassword,
    },
  )
})

afterAll(() => session.end())

interface Asking {
  readonly user?: string
  readonly database?: string
  readonly more?: readonly string[]
}

function query(server: string, password: string, sql: string, asking: Asking = {}): Promise<CommandResult> {
  const { user = 'app', database = 'shop_1', more = [] } = asking
  const where = ['--host', server, '--user', user, '--database', database, ...more]
  const words = [
    '--no-defaults',
    '--default-character-set=utf8mb4',
    ...where,
    '--batch',
    '--skip-column-names',
    '--execute',
    sql,
  ]
  return session.client('env', `MYSQL_PWD=${password}`, 'mariadb', ...words)
}

const ofTest = { user: 'test', database: 'test' }

test('works without options, from the network and from the host', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  expect((await query('plain', password, 'create table a (b int); select 41 + 1', ofTest)).stdout).toBe('42\n')
  const { MYSQL_HOST = '', MYSQL_TCP_PORT = '', MYSQL_USER, DATABASE_URL } = session.variables
  expect(MYSQL_USER).toBe('test')
  expect(DATABASE_URL).toBe(`mysql://test:${password}@127.0.0.1:${MYSQL_TCP_PORT}/test`)
  const banner = await session.host('bash', '-c', 'head -c 40 < "/dev/tcp/$MYSQL_HOST/$MYSQL_TCP_PORT" | strings')
  expect(banner.stdout).toContain('MariaDB')
  expect(MYSQL_HOST).toBe('127.0.0.1')
})

test('refuses a wrong password, and no password', async () => {
  for (const password of ['wrong', ''])
    for (const user of ['test', 'root', 'mysql', ''])
      expect((await query('plain', password, 'select 1', { user })).stderr).toMatch(
        /^ERROR (?:1045|1698) .*Access denied/,
      )
})

test('its user has all rights in its database, and in others only with its option', async () => {
  const [plain, almighty] = await Promise.all([
    session.secret('plain', 'PASSWORD'),
    session.secret('almighty', 'PASSWORD'),
  ])
  expect((await query('plain', plain, 'create database other', ofTest)).stderr).toContain('Access denied')
  expect((await query('almighty', almighty, 'create database other; show databases', ofTest)).stdout).toContain(
    'other\n',
  )
  expect((await query('almighty', almighty, 'select count(*) from goods', ofTest)).stdout).toBe('0\n')
})

test('starts with its seed', async () => {
  const password = await session.secret('full', 'PASSWORD')
  expect((await query('full', password, 'select name from goods order by id')).stdout).toBe('nails\nnaïve\n')
})

test('has the additional users of its option, with the same rights', async () => {
  const alice = { user: 'alice' }
  const sql = "insert into goods (name) values ('x'); select count(*) > 2 from goods"
  expect((await query('full', alicesPassword, sql, alice)).stdout).toBe('1\n')
  expect((await query('full', 'wrong', 'select 1', alice)).stderr).toContain("Access denied for user 'alice'")
})

test('has the settings of its options', async () => {
  const password = await session.secret('full', 'PASSWORD')
  const sql = 'select @@max_connections, @@innodb_flush_log_at_trx_commit, @@collation_database, @a, @@sql_mode'
  expect((await query('full', password, sql)).stdout).toMatch(/^17\t1\tutf8mb4_bin\tit's "so"\t.*\bANSI\b/)
})

test("offers TLS with a certificate of the fleet's authority only with its option", async () => {
  const password = await session.secret('full', 'PASSWORD')
  const over = (roots: string): Asking => ({ more: ['--ssl-verify-server-cert', '--ssl-ca', roots] })
  const sql = "show session status like 'Ssl_version'"
  expect((await query('full', password, sql, over('/etc/ssl/certs/ca-certificates.crt'))).stdout).toBe(
    'Ssl_version\tTLSv1.3\n',
  )
  expect((await query('full', password, sql, over('/etc/ssl/certs/ISRG_Root_X1.pem'))).stderr).toMatch(
    /TLS\/SSL error.*certificate/,
  )
  const plain = await query('plain', 'any', sql, { ...ofTest, ...over('/etc/ssl/certs/ca-certificates.crt') })
  expect(plain.stderr).toMatch(/SSL (?:is required|connection error)/)
})

test("gives `exec` a login to the user's database without a password", async () => {
  const sql = "select concat(user(), ' at ', database())"
  const { stdout } = await session.fleet.done(['exec', 'full', '--', 'mariadb', '-BNe', sql])
  expect(stdout).toBe('app@localhost at shop_1\n')
})

test('needs no password with `login: false`', async () => {
  expect(session.variables.TESTFLEET_OPEN_DATABASE_URL).toMatch(/^mysql:\/\/test@127\.0\.0\.1:\d+\/test$/)
  expect((await query('open', '', 'select 41 + 1', ofTest)).stdout).toBe('42\n')
})

test('keeps its caches within its memory limit and its log small, and has its own server id', async () => {
  const password = await session.secret('plain', 'PASSWORD')
  const sql = 'select @@innodb_buffer_pool_size >> 20, @@server_id, @@innodb_log_file_size >> 20'
  const [open = '', plain = ''] = [
    (await query('open', '', sql, ofTest)).stdout,
    (await query('plain', password, sql, ofTest)).stdout,
  ]
  expect([open.split('\t')[0], plain.split('\t')[0]]).toEqual(['64', '128'])
  expect(plain).toMatch(/\t32\n$/)
  expect(open.split('\t')[1]).not.toBe(plain.split('\t')[1])
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toBe('mysql :3306: does not answer')
})
