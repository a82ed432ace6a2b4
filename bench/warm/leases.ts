import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, openDatabase, testfleet, type WarmBench, withDatabase } from './bench-tools.ts'
import { type DatabaseRates, type DatabaseTimes, measureDatabases, measureRates, WORKERS } from './databases.ts'
import { PAUSED, writeLent } from './fleets.ts'
import { type Lease, LeaseSocket, pingRedis } from './lease-socket.ts'
import { percentile, type Row } from './row.ts'

/**
 * Time in which a test works, so that what the one before it gave back is pristine again, and replaced where it was a
 * database, before the next lease.
 */
const WORK_MS = { copy: 20, database: 100 }
/** Time after which copies of a paused pool are paused again: they stay awake for a second. */
const REST_MS = 1500

/** Leases over the socket from one session whose pools are full. */
export async function measureLeases(bench: WarmBench): Promise<Row[]> {
  const { folder, signal, tell } = bench
  const file = await writeLent(join(folder, 'lent'))
  tell('servers that are lent')
  await testfleet(['up', '-f', file], signal)
  try {
    const print = ['join', '-f', file, '--quiet', '--', 'sh', '-c', 'echo "$TESTFLEET_LENDER"; echo "$DATABASE_URL"']
    const [path = '', url = ''] = (await testfleet(print, signal)).stdout.trim().split('\n')
    return await measureRounds(bench, path, url)
  } finally {
    await testfleet(['down', '-f', file])
  }
}

async function measureRounds(bench: WarmBench, path: string, url: string): Promise<Row[]> {
  const { rounds, isQuick, tell, packages } = bench
  const count = isQuick ? 50 : 200
  const all: Round[] = []
  using socket = await LeaseSocket.open(path)
  await socket.untilFull(['cache', 'paused', 'single', 'db'])
  const database = await openDatabase(packages, withDatabase(url, 'postgres'))
  try {
    for (let round = 1; round <= rounds; round++) {
      tell(`leases, round ${round} of ${rounds}`)
      all.push(await measureRound({ socket, path, url, database, packages, count }))
    }
  } finally {
    await database.end()
  }
  return toRows(all)
}

interface Round extends DatabaseTimes, DatabaseRates {
  readonly running: readonly number[]
  readonly paused: readonly number[]
  readonly ping: readonly number[]
  readonly query: readonly number[]
  /** Of a new connection to the server's own database. */
  readonly ownQuery: readonly number[]
  readonly reset: readonly number[]
  readonly rawReset: readonly number[]
}

interface Subject {
  readonly socket: LeaseSocket
  readonly path: string
  readonly url: string
  readonly database: Database
  readonly packages: NodeJS.Require
  readonly count: number
}

async function measureRound({ socket, path, url, database, packages, count }: Subject): Promise<Round> {
  const running: number[] = []
  const ping: number[] = []
  const paused: number[] = []
  const query: number[] = []
  const ownQuery: number[] = []
  for (let i = 0; i < count; i++) {
    const before = performance.now()
    const lease = await socket.lease('cache')
    running.push(performance.now() - before)
    ;(await pingRedis(lease)).destroy()
    ping.push(performance.now() - before)
    await giveBack(socket, lease, WORK_MS.copy)
  }
  // The copy that was lent last is awake, and lent first: so each copy is lent once, and then all are given back.
  while (paused.length < count) {
    await sleep(REST_MS)
    const leases = []
    for (let copy = 0; copy < PAUSED; copy++) {
      const before = performance.now()
      leases.push(await socket.lease('paused'))
      paused.push(performance.now() - before)
    }
    for (const lease of leases) await socket.release(lease)
  }
  await socket.untilFull(['db'])
  for (let i = 0; i < count; i++) {
    const before = performance.now()
    const lease = await socket.lease('db')
    const client = await queryFirst(packages, lease.environment.DATABASE_URL ?? '')
    query.push(performance.now() - before)
    await client.end()
    const beforeOwn = performance.now()
    const own = await queryFirst(packages, url)
    ownQuery.push(performance.now() - beforeOwn)
    await own.end()
    await giveBack(socket, lease, WORK_MS.database)
  }
  return {
    ...{ running, ping, paused, query, ownQuery },
    ...(await measureReset(socket, count)),
    ...(await measureDatabases(socket, { url, database })),
    ...(await measureRates({ path, url, database, packages }, count)),
  }
}

async function queryFirst(packages: NodeJS.Require, url: string): Promise<Database> {
  const client = await openDatabase(packages, url)
  await client.query('select 1')
  return client
}

async function giveBack(socket: LeaseSocket, lease: Lease, workMs: number): Promise<void> {
  await sleep(workMs)
  await socket.release(lease)
}

/** From the return of the only copy until it is lent again, compared with FLUSHALL over a connection that stays open. */
async function measureReset(socket: LeaseSocket, count: number): Promise<Pick<Round, 'reset' | 'rawReset'>> {
  const reset: number[] = []
  const rawReset: number[] = []
  for (let i = 0; i < count; i++) {
    const lease = await socket.lease('single')
    const connection = await pingRedis(lease)
    await ask(connection, 'SET key value')
    const atRaw = performance.now()
    await ask(connection, 'FLUSHALL')
    rawReset.push(performance.now() - atRaw)
    await ask(connection, 'SET key value')
    connection.destroy()
    const atReset = performance.now()
    await socket.release(lease)
    const next = await socket.lease('single')
    reset.push(performance.now() - atReset)
    await socket.release(next)
  }
  return { reset, rawReset }
}

async function ask(connection: Awaited<ReturnType<typeof pingRedis>>, command: string): Promise<void> {
  const answer = new Promise((resolve) => connection.once('data', resolve))
  connection.write(`${command}\r\n`)
  if (!String(await answer).startsWith('+OK')) throw new Error(`${command}: ${await answer}`)
}

function toRows(rounds: readonly Round[]): Row[] {
  type Times = 'running' | 'ping' | 'paused' | 'query' | 'ownQuery' | 'reset' | 'rawReset'
  const rank = (key: Times, share: number): number[] => rounds.map((round) => percentile(round[key], share))
  const ms = (what: string, values: readonly number[], aim: string): Row => ({ what, unit: 'ms', values, aim })
  return [
    ms('lease of a copy that runs, p50', rank('running', 0.5), '≤ 2 ms'),
    ms('the same, p95', rank('running', 0.95), '≤ 5 ms'),
    ms('the same, p99', rank('running', 0.99), '≤ 20 ms'),
    ms('lease and first PING, p50', rank('ping', 0.5), '≤ 10 ms'),
    {
      ...ms('lease and first select 1, p50', rank('query', 0.5), '≤ 10 ms'),
      compared: { name: 'in its own database', values: rank('ownQuery', 0.5) },
    },
    ms('lease of a paused copy, p50', rank('paused', 0.5), '≤ 25 ms'),
    ms('the same, p99', rank('paused', 0.99), '≤ 60 ms'),
    {
      ...ms('reset of Redis, until it is lent again', rank('reset', 0.5), '≤ 3 ms'),
      compared: { name: 'FLUSHALL alone', values: rank('rawReset', 0.5) },
    },
    {
      ...ms(
        'database of 50 tables, one worker without a pause',
        rounds.map(({ inTurnMs }) => inTurnMs),
        '≤ 40 ms',
      ),
      compared: { name: 'CREATE and DROP', values: rounds.map(({ rawDatabaseMs }) => rawDatabaseMs) },
    },
    {
      what: `databases of 50 tables, ${WORKERS} workers`,
      unit: '/s',
      values: rounds.map(({ perSecond }) => perSecond),
      compared: { name: `${WORKERS} connections`, values: rounds.map(({ rawPerSecond }) => rawPerSecond) },
      aim: '≥ 50/s',
    },
  ]
}
