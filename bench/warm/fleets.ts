import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'

export const fleetNames = {
  five: 'testfleet-bench-five',
  lent: 'testfleet-bench-lent',
  unbaked: 'testfleet-bench-unbaked',
  baked: 'testfleet-bench-baked',
  tests: 'testfleet-bench-tests',
  builds: 'testfleet-bench-builds',
} as const

async function writeFleet(
  folder: string,
  name: string,
  servers: object,
  files: Readonly<Record<string, string>> = {},
  base?: object,
): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text, { mode: 0o755 })
  const path = join(folder, 'testfleet.yaml')
  await writeFile(path, stringify({ name, base, servers }, { aliasDuplicateObjects: false }))
  return path
}

function tables(count: number): string {
  const all = Array.from({ length: count }, (_, index) => {
    const table = `CREATE TABLE table_${index} (id int PRIMARY KEY, text text);\n`
    return `${table}INSERT INTO table_${index} SELECT id, md5(id::text) FROM generate_series(1, 20) AS id;\n`
  })
  return all.join('')
}

const database = (seed: string): object => ({ preset: 'postgresql', options: { seed } })

export function writeFivePresets(folder: string): Promise<string> {
  const others = { cache: 'redis', web: 'nginx', queue: 'rabbitmq', post: 'mail' }
  const servers = Object.fromEntries(Object.entries(others).map(([name, preset]) => [name, { preset }]))
  return writeFleet(folder, fleetNames.five, { db: database('seed.sql'), ...servers }, { 'seed.sql': tables(10) })
}

/** Number of copies that are paused. */
export const PAUSED = 4

/** Redis with copies that run, with paused ones, and with a single one; PostgreSQL with databases of 50 tables. */
export function writeLent(folder: string): Promise<string> {
  const servers = {
    cache: { preset: 'redis', pool: 4 },
    paused: { preset: 'redis', pool: { size: PAUSED, paused: true } },
    single: { preset: 'redis', pool: 1 },
    db: { ...database('seed.sql'), isolation: 'database', pool: 8 },
  }
  return writeFleet(folder, fleetNames.lent, servers, { 'seed.sql': tables(50) })
}

/** Each has 50 MB of rows, which its seed makes: 400,000 of some 130 bytes. */
const rows = {
  postgresql:
    'CREATE TABLE items AS SELECT id, repeat(md5(id::text), 3) AS text FROM generate_series(1, 400000) AS id;\n',
  mariadb: 'CREATE TABLE items SELECT seq AS id, REPEAT(MD5(seq), 3) AS text FROM seq_1_to_400000;\n',
} as const
export const bakedPresets = ['postgresql', 'mariadb'] as const

export function writeSeeded(folder: string, preset: (typeof bakedPresets)[number], isBaked: boolean): Promise<string> {
  const db = { preset, options: { seed: 'seed.sql' }, ...(isBaked ? { bake: true } : {}) }
  const name = `${isBaked ? fleetNames.baked : fleetNames.unbaked}-${preset}`
  return writeFleet(folder, name, { db }, { 'seed.sql': rows[preset] })
}

const seedOfTests = tables(5)

/** The server of the small tests, for leases and for template databases. */
export function writeTestServer(folder: string): Promise<string> {
  const servers = { db: { ...database('seed.sql'), isolation: 'database', pool: 8 } }
  return writeFleet(folder, fleetNames.tests, servers, { 'seed.sql': seedOfTests })
}

/** Initialises PostgreSQL at the start of its container, as the official image does; like the preset, it does not wait for the disk. */
const start = `#!/bin/sh
set -eu
PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"
export PGDATA=/tmp/data
initdb --no-sync --auth=trust --username=test > /dev/null
printf "listen_addresses = '*'\\nfsync = off\\nfull_page_writes = off\\n" >> "$PGDATA/postgresql.conf"
echo 'host all all all trust' >> "$PGDATA/pg_hba.conf"
echo 'CREATE DATABASE test' | postgres --single postgres > /dev/null
postgres --single -j test < /seed.sql > /dev/null
exec postgres
`

/** The image of one container for each test: the same Debian package and the same seed. */
export function writeTestImage(folder: string): Promise<string> {
  const copy = [
    { from: 'start', to: '/start' },
    { from: 'seed.sql', to: '/seed.sql' },
  ]
  const db = { build: { packages: ['postgresql'], copy }, user: 'postgres', command: ['/start'], ports: [5432] }
  // In single-user mode, an empty line ends a statement.
  return writeFleet(
    folder,
    `${fleetNames.tests}-image`,
    { db },
    { start, 'seed.sql': seedOfTests.replaceAll('\n', '\n\n') },
  )
}

const ownPackages = ['bc', 'curl', 'file', 'jq', 'less', 'netcat-openbsd', 'patch', 'rsync', 'sqlite3', 'tree']
export const imagesOfBase: readonly string[] = ownPackages.map((_, index) => `image-${index}`)

/** Ten images, with a package and a file each, on a base that no engine has built before. */
export function writeImages(folder: string, kind: string): Promise<string> {
  const servers = ownPackages.map((name, index) => {
    const build = { packages: [name], copy: [{ content: `${name}\n`, to: '/name' }] }
    return [imagesOfBase[index], { build, command: ['sleep', '60'] }] as const
  })
  const base = { packages: ['openssl'], environment: { BASE: randomUUID() } }
  return writeFleet(folder, `${fleetNames.builds}-${kind}`, Object.fromEntries(servers), {}, base)
}

/** An image with the file `large` of its folder. */
export function writeLargeCopy(folder: string): Promise<string> {
  const large = { build: { copy: [{ from: 'large', to: '/large' }] }, command: ['sleep', '60'] }
  return writeFleet(folder, `${fleetNames.builds}-copy`, { large })
}
