const { createRequire } = require('node:module')
const { join } = require('node:path')

/** How the tests get their database: a lease each, a container each, or one that they share. */
const way = process.env.BENCH_WAY
const tests = Number(process.env.BENCH_TESTS)
const packages = createRequire(join(__dirname, '../bench.cjs'))

/** The test: in an isolated database, it would fail if another test had used it. */
async function work(url, number) {
  const { Client } = packages('pg')
  const database = new Client({ connectionString: url })
  await database.connect()
  await database.query(`CREATE TABLE mine_${number} (id int PRIMARY KEY)`)
  await database.query(`INSERT INTO mine_${number} SELECT generate_series(1, 100)`)
  await database.query(`INSERT INTO table_0 VALUES (${1000 + number})`)
  const { rows } = await database.query(`SELECT count(*) AS mine, (SELECT count(*) FROM table_0) FROM mine_${number}`)
  await database.end()
  const { mine, count } = rows[0]
  if (mine !== '100' || (way !== 'shared' && count !== '21')) throw new Error(`a test found ${JSON.stringify(rows)}`)
}

/** Starts a container for one test, as its users do it. */
async function startContainer() {
  const { GenericContainer, Wait } = packages('testcontainers')
  const container = await new GenericContainer(process.env.BENCH_IMAGE)
    .withCommand(['/start'])
    .withUser('postgres')
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/))
    .start()
  const url = `postgresql://test@${container.getHost()}:${container.getMappedPort(5432)}/test`
  return { url, stop: () => container.stop() }
}

/** One test with a container of its own. */
async function workInContainer(number) {
  const container = await startContainer()
  await work(container.url, number)
  await container.stop()
}

/** Numbers of the tests of a file, which no other file has. */
function numbersOf(file) {
  const first = Number(file.match(/(\d+)\D*$/)[1]) * tests
  return Array.from({ length: tests }, (_, index) => first + index)
}

module.exports = { way, work, workInContainer, numbersOf }
