import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openDatabase, withDatabase } from './bench-tools.ts'
import { LeaseSocket } from './lease-socket.ts'

export type Way = 'lease' | 'template' | 'container'

/** A database for one test. */
interface Isolated {
  readonly url: string
  end(): Promise<unknown>
}

/** `test-worker.ts WAY TESTS FOLDER IMAGE NUMBER`: one process of the run, with its tests one after the other. */
const [way = '', tests = '', folder = '', image = '', number = ''] = process.argv.slice(2)
const packages = createRequire(join(folder, 'bench.cjs'))

if (isMain()) {
  const { isolate, close } = await openWay(way as Way)
  for (let test = 0; test < Number(tests); test++) {
    const isolated = await isolate(test)
    await work(isolated.url)
    await isolated.end()
  }
  await close()
}

function isMain(): boolean {
  return process.argv[1] === import.meta.filename
}

/** The test: it would fail if another one had used this database. */
async function work(url: string): Promise<void> {
  const database = await openDatabase(packages, url)
  await database.query('CREATE TABLE mine (id int PRIMARY KEY)')
  await database.query('INSERT INTO mine SELECT generate_series(1, 100)')
  await database.query('INSERT INTO table_0 VALUES (1000)')
  const { rows } = await database.query('SELECT (SELECT count(*) FROM mine) + (SELECT count(*) FROM table_0) AS all')
  await database.end()
  if (Number(rows[0]?.all) !== 121) throw new Error(`a test found ${JSON.stringify(rows)}`)
}

async function openWay(chosen: Way): Promise<{ isolate(test: number): Promise<Isolated>; close(): unknown }> {
  if (chosen === 'container') return { isolate: startContainer, close() {} }
  if (chosen === 'lease') {
    const socket = await LeaseSocket.open(process.env.TESTFLEET_LENDER ?? '')
    const isolate = async (): Promise<Isolated> => {
      const lease = await socket.lease('db')
      return { url: lease.environment.DATABASE_URL ?? '', end: () => socket.release(lease) }
    }
    return { isolate, close: () => socket[Symbol.dispose]() }
  }
  const url = process.env.DATABASE_URL ?? ''
  const admin = await openDatabase(packages, withDatabase(url, 'postgres'))
  const isolate = async (test: number): Promise<Isolated> => {
    const name = `test_${number}_${test}`
    await admin.query(`CREATE DATABASE ${name} TEMPLATE test_template`)
    return { url: withDatabase(url, name), end: () => admin.query(`DROP DATABASE ${name}`) }
  }
  return { isolate, close: () => admin.end() }
}

/** The parts of testcontainers-node that the test uses. */
interface Container {
  withUser(user: string): Container
  withExposedPorts(port: number): Container
  withWaitStrategy(strategy: unknown): Container
  start(): Promise<{ getHost(): string; getMappedPort(port: number): number; stop(): Promise<unknown> }>
}

async function startContainer(): Promise<Isolated> {
  const { GenericContainer, Wait } = packages('testcontainers') as {
    GenericContainer: new (image: string) => Container & { withCommand(words: readonly string[]): Container }
    Wait: { forLogMessage(text: RegExp): unknown }
  }
  const container = await new GenericContainer(image)
    .withCommand(['/start'])
    .withUser('postgres')
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/))
    .start()
  const url = `postgresql://test@${container.getHost()}:${container.getMappedPort(5432)}/test`
  return { url, end: () => container.stop() }
}
