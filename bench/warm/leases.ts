import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, openDatabase, testfleet, type WarmBench, withDatabase } from './bench-tools.ts'
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

interface Round {
  readonly running: readonly number[]
  readonly paused: readonly number[]
  readonly ping: readonly number[]
  readonly query: readonly number[]
  readonly reset: readonly number[]
  readonly rawReset: readonly number[]
  readonly inTurnMs: number
  readonly rawDatabaseMs: number
  readonly perSecond: number
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
    const client = await openDatabase(packages, lease.environment.DATABASE_URL ?? '')
    await client.query('select 1')
    query.push(performance.now() - before)
    await client.end()
    await giveBack(socket, lease, WORK_MS.database)
  }
  return {
    ...{ running, ping, paused, query },
    ...(await measureReset(socket, count)),
    ...(await measureDatabases(socket, database, new URL(url).pathname.slice(1))),
    perSecond: await measureRate(path, count * 2),
  }
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

/** Leases before a measurement of databases: it begins when none is prepared, and ends so. Each lease needs a new one. */
const WARM_UP = 24
const IN_TURN = 40

/** One worker without a pause, compared with the two statements that a person would write, over one connection. */
async function measureDatabases(
  socket: LeaseSocket,
  database: Database,
  template: string,
): Promise<Pick<Round, 'inTurnMs' | 'rawDatabaseMs'>> {
  const take = async (): Promise<void> => socket.release(await socket.lease('db'))
  for (let i = 0; i < WARM_UP; i++) await take()
  const before = performance.now()
  for (let i = 0; i < IN_TURN; i++) await take()
  const inTurnMs = (performance.now() - before) / IN_TURN
  await socket.untilFull(['db'])
  await database.query(`CREATE DATABASE bench_template TEMPLATE "${template}"`)
  const beforeRaw = performance.now()
  for (let i = 0; i < IN_TURN; i++) {
    await database.query('CREATE DATABASE bench_raw TEMPLATE bench_template')
    await database.query('DROP DATABASE bench_raw')
  }
  const rawDatabaseMs = (performance.now() - beforeRaw) / IN_TURN
  await database.query('DROP DATABASE bench_template')
  return { inTurnMs, rawDatabaseMs }
}

const WORKERS = 8

/** Databases a second, by workers that give each back at once. */
async function measureRate(path: string, count: number): Promise<number> {
  await leaseInParallel(path, WARM_UP)
  const startedAt = performance.now()
  await leaseInParallel(path, count)
  return count / ((performance.now() - startedAt) / 1000)
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

function toRows(rounds: readonly Round[]): Row[] {
  const rank = (key: 'running' | 'ping' | 'paused' | 'query' | 'reset' | 'rawReset', share: number): number[] =>
    rounds.map((round) => percentile(round[key], share))
  const ms = (what: string, values: readonly number[], aim: string): Row => ({ what, unit: 'ms', values, aim })
  return [
    ms('lease of a copy that runs, p50', rank('running', 0.5), '≤ 2 ms'),
    ms('the same, p95', rank('running', 0.95), '≤ 5 ms'),
    ms('the same, p99', rank('running', 0.99), '≤ 20 ms'),
    ms('lease and first PING, p50', rank('ping', 0.5), '≤ 10 ms'),
    ms('lease and first select 1, p50', rank('query', 0.5), '≤ 10 ms'),
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
      aim: '≥ 50/s',
    },
  ]
}
