import { type Database, openDatabase, withDatabase } from './bench-tools.ts'
import { LeaseSocket } from './lease-socket.ts'

export interface DatabaseTimes {
  readonly inTurnMs: number
  readonly rawDatabaseMs: number
}

export interface DatabaseRates {
  readonly perSecond: number
  readonly rawPerSecond: number
}

interface Servers {
  /** The lender's socket. */
  readonly path: string
  /** The server's own database. */
  readonly url: string
  readonly database: Database
  readonly packages: NodeJS.Require
}

/** Leases before a measurement of databases: it begins when none is prepared, and ends so. Each lease needs a new one. */
const WARM_UP = 24
const IN_TURN = 40

/** One worker without a pause, compared with the two statements that a person would write, over one connection. */
export async function measureDatabases(
  socket: LeaseSocket,
  { url, database }: Pick<Servers, 'url' | 'database'>,
): Promise<DatabaseTimes> {
  const take = async (): Promise<void> => socket.release(await socket.lease('db'))
  for (let i = 0; i < WARM_UP; i++) await take()
  const before = performance.now()
  for (let i = 0; i < IN_TURN; i++) await take()
  const inTurnMs = (performance.now() - before) / IN_TURN
  await socket.untilFull(['db'])
  await database.query(`CREATE DATABASE bench_template TEMPLATE "${nameIn(url)}"`)
  const beforeRaw = performance.now()
  for (let i = 0; i < IN_TURN; i++) {
    await database.query('CREATE DATABASE bench_raw TEMPLATE bench_template')
    await database.query('DROP DATABASE bench_raw')
  }
  const rawDatabaseMs = (performance.now() - beforeRaw) / IN_TURN
  await database.query('DROP DATABASE bench_template')
  return { inTurnMs, rawDatabaseMs }
}

export const WORKERS = 8

/** Databases a second, by workers that give each back at once, compared with as many connections that make and drop them. */
export async function measureRates({ path, url, database, packages }: Servers, count: number): Promise<DatabaseRates> {
  await leaseInParallel(path, WARM_UP)
  const startedAt = performance.now()
  await leaseInParallel(path, count)
  const perSecond = count / ((performance.now() - startedAt) / 1000)
  await database.query(`CREATE DATABASE bench_template TEMPLATE "${nameIn(url)}"`)
  const clients = await Promise.all(
    Array.from({ length: WORKERS }, () => openDatabase(packages, withDatabase(url, 'postgres'))),
  )
  let left = count
  const rawStartedAt = performance.now()
  await Promise.all(
    clients.map(async (client, index) => {
      while (left-- > 0) {
        await client.query(`CREATE DATABASE bench_raw_${index} TEMPLATE bench_template`)
        await client.query(`DROP DATABASE bench_raw_${index}`)
      }
    }),
  )
  const rawPerSecond = count / ((performance.now() - rawStartedAt) / 1000)
  for (const client of clients) await client.end()
  await database.query('DROP DATABASE bench_template')
  return { perSecond, rawPerSecond }
}

async function leaseInParallel(path: string, count: number): Promise<void> {
  let left = count
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      using socket = await LeaseSocket.open(path)
      while (left-- > 0) await socket.release(await socket.lease('db'))
    }),
  )
}

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1)
}
