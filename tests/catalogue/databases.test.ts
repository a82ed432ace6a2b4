import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openConsole } from '../../src/lease/console.ts'
import { type Databases, openDatabases } from '../../src/lease/database.ts'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import { SOON_MS } from '../support/command.ts'
import { withTarget } from '../support/lease-target.ts'

let session: CatalogueSession
const SOON = { timeout: SOON_MS, interval: 100 }

const tables = Array.from({ length: 50 }, (_, index) => `t${index}`)

const postgresql = `
${tables.map((table) => `create table ${table} (id serial primary key, name text unique);`).join('\n')}
insert into t0 (name) values ('nails'), ('naïve');
create view names as select name from t0;
create function shout(text) returns text language sql as $$ select upper($1) $$;
alter database own set search_path to public, pg_temp;
`

const mariadb = `
${tables.map((table) => `create table ${table} (id int auto_increment primary key, name varchar(40) unique);`).join('\n')}
insert into t0 (name) values ('nails'), ('naïve');
create view names as select name from t0;
create procedure shout(word text) select upper(word);
create trigger trim_name before insert on t0 for each row set new.name = trim(new.name);
create event tidy on schedule every 1 day do delete from t1;
`

beforeAll(async () => {
  const options = { database: 'own' }
  session = await startCatalogue(
    {
      pg: { preset: 'postgresql', options: { ...options, seed: 'pg.sql' } },
      maria: { preset: 'mariadb', options: { ...options, seed: 'maria.sql' } },
    },
    { 'pg.sql': postgresql, 'maria.sql': mariadb },
    ['ca-certificates'],
  )
})

afterAll(() => session.end())

async function lend<Result>(server: string, use: (databases: Databases) => Promise<Result>): Promise<Result> {
  return withTarget(session.report.servers[server]?.container ?? '', async (target, tools) => {
    const databases = openDatabases(target, { size: 2 }, tools)
    try {
      return await use(databases)
    } finally {
      await databases.close()
    }
  })
}

const ask = async (server: string, ...command: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await session.fleet.call(['exec', server, '--', ...command])
  return exitCode === 0 ? stdout : stdout + stderr
}
const psql = (database: string, sql: string) => ask('pg', 'psql', '-qAt', '-h', '127.0.0.1', '-d', database, '-c', sql)
const maria = (database: string, sql: string) =>
  ask('maria', 'mariadb', '-h', '127.0.0.1', '-N', '--default-character-set=utf8mb4', '-e', sql, database)

describe('a leased database of postgresql', () => {
  test('is a copy of the own one, with its owner, settings, rows, views and functions', async () => {
    await lend('pg', async (databases) => {
      const [{ name, spec }, other] = [await databases.take(), await databases.take()]
      expect(spec.execEnvironment?.PGDATABASE).toMatchObject({ text: name })
      expect(await psql(name, "select count(*) from pg_tables where schemaname = 'public'")).toBe('50\n')
      expect(await psql(name, "select string_agg(name, '+') from names")).toBe('nails+naïve\n')
      expect(await psql(name, "select shout('a'), current_setting('search_path')")).toBe('A|public, pg_temp\n')
      expect(await psql(name, "insert into t0 (name) values ('new') returning id")).toBe('3\n')
      expect(await psql(name, 'drop table t1; create schema mine; create table mine.a (b int)')).toBe('')
      expect(await psql(other.name, 'select count(*) from t0')).toBe('2\n')
      expect(await psql('own', 'select count(*) from t0')).toBe('2\n')
      expect(await psql('own', 'select count(*) from t1')).toBe('0\n')
    })
  })

  test('has what its first connection would otherwise have to build', async () => {
    await lend('pg', async (databases) => {
      const { name } = await databases.take()
      const built = `select (pg_stat_file(format('base/%s/pg_internal.init', oid), true)).size > 0 from pg_database where datname = '${name}'`
      const asOwner = ['psql', '-qAt', '-U', 'postgres', '-h', '/var/run/postgresql', '-d', 'postgres', '-c']
      expect(await ask('pg', ...asOwner, built)).toBe('t\n')
    })
  })

  test('is closed and dropped while clients use it, and no other connection is lost', async () => {
    await lend('pg', async (databases) => {
      const [one, other] = [await databases.take(), await databases.take()]
      const names = [one.name, other.name, 'own']
      const sleeping = names.map((name) => psql(name, 'select pg_sleep(60)'))
      const users = `select string_agg(datname, ' ' order by datname = 'own', datname <> '${one.name}') from pg_stat_activity where query ~ '^select pg_sleep'`
      await vi.waitFor(async () => expect(await psql('own', users)).toBe(`${names.join(' ')}\n`), SOON)
      databases.release(one.name)
      expect(await sleeping[0]).toContain('terminating connection due to administrator command')
      expect(await psql('own', users)).toBe(`${other.name} own\n`)
      await psql('own', "select pg_cancel_backend(pid) from pg_stat_activity where query ~ '^select pg_sleep'")
      await Promise.all(sleeping)
      await vi.waitFor(() => expect(databases.status().dropping).toBe(0), SOON)
      expect(await psql(one.name, 'select 1')).toContain(`database "${one.name}" does not exist`)
    })
    expect(await psql('own', "select datname from pg_database where datname ~ '^lease'")).toBe('lease_template\n')
  })

  test('is closed to its clients although it is dropped later', async () => {
    await withTarget(session.report.servers.pg?.container ?? '', async (target, tools) => {
      const recipe = target.spec.lending?.database
      if (recipe?.close === undefined) throw new Error('pg cannot close a database')
      const databases = openDatabases(target, { size: 1 }, tools)
      const console = openConsole(target, recipe.console, tools)
      try {
        const { name } = await databases.take()
        const lines = [...recipe.close, String.raw`\echo closed`]
        const send = lines.map((line) => `${line.replaceAll('${database}', name)}\n`).join('')
        const answer = await console.ask({ send, expect: 'closed', timeoutMs: SOON_MS })
        expect(answer).toMatch(/^\d{7,8}\nclosed$/)
        expect(await psql(name, 'select 1')).toContain(`database "${name}" is not currently accepting connections`)
      } finally {
        await console.close()
        await databases.close()
      }
    })
  })

  test('is made of a dump where somebody is connected to the own database', async () => {
    await ask(
      'pg',
      'psql',
      '-U',
      'postgres',
      '-d',
      'postgres',
      '-h',
      '/var/run/postgresql',
      '-c',
      'drop database lease_template',
    )
    const connected = psql('own', 'select pg_sleep(60)')
    const users = "select count(*) from pg_stat_activity where query ~ '^select pg_sleep'"
    await vi.waitFor(async () => expect(await psql('own', users)).toBe('1\n'), SOON)
    await lend('pg', async (databases) => {
      const { name } = await databases.take()
      expect(await psql(name, "select string_agg(name, '+') from names")).toBe('nails+naïve\n')
      expect(await psql(name, "select shout('a'), current_setting('search_path')")).toBe('A|public, pg_temp\n')
      const owner = 'select pg_get_userbyid(datdba) from pg_database where datname = current_database()'
      expect(await psql(name, owner)).toBe('test\n')
    })
    expect(await psql('own', users)).toBe('1\n')
    await psql('own', "select pg_cancel_backend(pid) from pg_stat_activity where query ~ '^select pg_sleep'")
    await connected
  })
})

describe('databases of a lender that was killed are dropped by the next one', () => {
  const name = 'lease_0123456789abcdef'
  const byOwner = ['mariadb', '--no-defaults', '-u', 'mysql', '-S', '/run/mysqld/mysqld.sock', '-Ne']
  const listed = {
    pg: () => psql('own', "select datname from pg_database where datname ~ '^lease_[0-9a-f]'"),
    maria: () =>
      ask('maria', ...byOwner, "select schema_name from information_schema.schemata where schema_name like 'lease%'"),
  }
  const lines = {
    pg: [`create database ${name};`, 'select pg_sleep(600);', `create database ${name}2;`, String.raw`\echo made`],
    maria: [`create database ${name};`, 'select sleep(600);', `create database ${name}2;`, "select 'made';"],
  }

  test.each(['pg', 'maria'] as const)('%s, also those that it was making', async (server) => {
    await withTarget(session.report.servers[server]?.container ?? '', async (target, tools) => {
      const recipe = target.spec.lending?.database
      if (recipe === undefined) throw new Error(`${server} has no recipe`)
      const send = lines[server].map((line) => `${line}\n`).join('')
      const making = openConsole(target, recipe.console, tools).ask({ send, expect: 'made', timeoutMs: SOON_MS })
      making.catch(() => {})
      await vi.waitFor(async () => expect(await listed[server]()).toBe(`${name}\n`), SOON)
      const databases = openDatabases(target, { size: 1 }, tools)
      const one = (await databases.take()).name
      await expect(making).rejects.toThrow('ended its console')
      await databases.close()
      expect(await listed[server]()).toBe('')
      expect(one).not.toBe(name)
    })
  })
})

test('a leased database of mariadb has tables, rows, views, triggers, procedures and events', async () => {
  await lend('maria', async (databases) => {
    const [one, other] = [(await databases.take()).name, (await databases.take()).name]
    expect(await maria(one, "select group_concat(name separator '+') from names")).toBe('nails+naïve\n')
    expect(await maria(one, "insert into t0 (name) values (' new '); select id, name from t0 where id > 2")).toBe(
      '3\tnew\n',
    )
    expect(
      await maria(
        one,
        "call shout('a'); select count(*) from information_schema.tables where table_schema = database()",
      ),
    ).toBe('A\n51\n')
    expect(await maria(one, 'select event_name from information_schema.events where event_schema = database()')).toBe(
      'tidy\n',
    )
    expect(await maria(one, 'drop table t1; create table mine (a int)')).toBe('')
    expect(await maria(other, 'select count(*) from t0; select count(*) from t1')).toBe('2\n0\n')
    expect(await maria('own', 'select count(*) from t0')).toBe('2\n')
    databases.release(one)
    await vi.waitFor(() => expect(databases.status().dropping).toBe(0), SOON)
    expect(await maria(one, 'select 1')).toContain(`Unknown database '${one}'`)
  })
  expect(await maria('own', "show databases like 'lease%'")).toBe('')
})
