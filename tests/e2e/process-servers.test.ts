import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { findBundles, readBundle } from '../support/bundles.ts'
import { countLeftovers, removeFleetFolders, runTestfleet, SOON_MS, startTestfleet } from '../support/command.ts'
import { httpServer } from '../support/perl-servers.ts'
import { makeFleet, type Servers, type StoryFleet } from '../support/story-fleet.ts'
import { base } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

/** A server that runs already, on loopback. It demands a login and keeps what it was asked. */
let staging: Server
let port: number
let fleet: StoryFleet
const asked: string[] = []
const PASSWORD = 'not/shown-0123456789'
const login = (): string => `http://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/api`

const declare = (): Servers => ({
  backend: {
    image: 'debian:bookworm-slim',
    command: ['sleep', '600'],
    external: { env: 'BACKEND_URL' },
    ports: [80],
    ready: [{ http: { port: 80, path: '/up', status: 200 } }],
    export: { BACKEND_URL: 'http://${endpoint.80}/api' },
  },
})

beforeAll(async () => {
  staging = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`)
    response.writeHead(request.url === '/up' ? 200 : 404).end('here')
  })
  await new Promise<void>((resolve) => void staging.listen(0, '127.0.0.1', resolve))
  port = (staging.address() as AddressInfo).port
  fleet = await makeFleet(declare())
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
  staging.close()
})

test('an external server is probed, exported and listed, and is never stopped or removed', async () => {
  const env = { BACKEND_URL: login() }
  expect((await fleet.done(['plan'], { env })).stdout).toContain(
    `use     backend: external, http://app@127.0.0.1:${port}/api`,
  )
  const up = await fleet.json(['up'], { env })
  expect(up.servers.backend).toMatchObject({
    ...{ state: 'ready', runs: 'external', container: '', image: `http://app@127.0.0.1:${port}/api` },
    ...{ hostname: '127.0.0.1', endpoints: { '80/tcp': { host: '127.0.0.1', port } } },
  })
  expect(asked).toContain('127.0.0.1 /up')
  // The session says where it is, whatever the variable is now.
  const printed = await fleet.done(['join', '--quiet', '--', 'sh', '-c', 'echo "$BACKEND_URL $TESTFLEET_BACKEND_PORT"'])
  expect(printed.stdout).toBe(`${login()} ${port}\n`)
  expect((await fleet.done(['endpoints'])).stdout).toContain(`127.0.0.1:${port}→80/tcp`)
  expect((await fleet.done(['up'], { env })).stdout).toContain('ready')
  const refusals = [
    ['stop', 'backend'],
    ['exec', 'backend', '--', 'true'],
    ['logs', 'backend'],
    ['cp', 'backend:/etc/passwd', '.'],
    ['reset', 'backend'],
    ['rm', 'backend'],
    ['lease', 'backend', '--', 'true'],
  ]
  const refused = await Promise.all(refusals.map((words) => fleet.call(words)))
  for (const { exitCode, stderr } of refused)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/^error: `[a-z, ]+` cannot be used on backend: it is an external server, /),
    })
  expect((await fleet.done(['stop'])).stdout).not.toContain('backend')
  expect((await fleet.done(['down'])).exitCode).toBe(0)
  expect(staging.listening).toBe(true)
})

test('an external server that does not answer fails the start, and its password is shown nowhere', async () => {
  await fleet.declare({
    backend: { external: login(), ready: [{ http: { port, path: '/gone' } }], readyTimeout: '1s' },
  })
  const TMPDIR = join(fleet.folder, 'tmp')
  await mkdir(TMPDIR)
  const failed = await fleet.call(['run', '--', 'true'], { env: { TMPDIR } })
  expect(failed).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('http :') })
  const [bundle = ''] = await findBundles(TMPDIR)
  const files = await readBundle(bundle)
  expect(files['plan.txt']).toContain('use     backend: external, ')
  const shown = [failed.stdout, failed.stderr, JSON.stringify(files), (await fleet.done(['config'])).stdout].join('\n')
  for (const form of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(shown).not.toContain(form)
  expect((await fleet.call(['check'])).stdout).toContain('the URL of the external server contains a password')
  expect(await countLeftovers(fleet.name)).toBe(0)
})

const free = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port: number } = server.address() as AddressInfo
  await new Promise((resolve) => void server.close(resolve))
  return number
}

/** Answers with its variables; at /cache and /self, with what another server and itself answer at their names. */
const PROGRAM = `
import { createServer } from 'node:http'
const { PORT, BACKEND_URL, DOMAIN } = process.env
const known = { '/cache': 'http://cache.' + DOMAIN, '/self': 'http://app.' + DOMAIN + ':' + PORT + '/cache' }
process.on('SIGTERM', () => { console.log('told to stop'); if (process.env.STUBBORN !== 'yes') process.exit(0) })
createServer((request, response) => {
  console.log('asked for ' + request.url)
  if (request.url === '/end') process.exit(7)
  const url = known[request.url]
  if (url) return void fetch(url).then((got) => got.text()).catch(({ cause }) => String(cause)).then((text) => response.end(text))
  response.end(JSON.stringify({ BACKEND_URL, folder: process.cwd() }))
}).listen(Number(PORT), '127.0.0.1', () => console.log('listening'))
`

const ask = async (number: number): Promise<unknown> => (await fetch(`http://127.0.0.1:${number}/`)).json()
const askFor = async (number: number, path: string) => (await fetch(`http://127.0.0.1:${number}${path}`)).text()
const isFree = async (number: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${number}/`).then(
    () => false,
    () => true,
  )

test('a process is started with what it needs, and is used as any other server', async () => {
  const number = await free()
  await mkdir(join(fleet.folder, 'app'))
  await writeFile(join(fleet.folder, 'app/app.mjs'), PROGRAM)
  const environment = { PORT: number, DOMAIN: `${fleet.name}.test` }
  const app: Servers[string] = {
    process: [process.execPath, 'app.mjs'],
    ...{ workingDir: 'app', environment, ports: [number], dependsOn: ['backend', 'cache'] },
    ...{ ready: [{ http: { port: number } }], export: { APP_URL: `http://\${endpoint.${number}}` } },
  }
  const backend: Servers[string] = {
    external: login(),
    export: { BACKEND_URL: 'http://${endpoint.PORT}/a'.replace('PORT', String(port)) },
  }
  // Published nowhere, so that only its name leads to it.
  const cache = { image: base, command: httpServer(80, 'cached'), ready: [{ http: { port: 80 } }] }
  await fleet.declare({ app, backend, cache })
  const first = await fleet.json(['up'])
  expect(first.servers.app).toMatchObject({
    state: 'ready',
    runs: 'process',
    endpoints: { [`${number}/tcp`]: { port: number } },
  })
  const folder = join(fleet.folder, 'app')
  expect(await ask(number)).toEqual({ BACKEND_URL: `http://127.0.0.1:${port}/a`, folder })
  const answers = await Promise.all(['/cache', '/self'].map((path) => askFor(number, path)))
  expect(answers, (await fleet.call(['logs', 'app'])).stdout).toEqual(['cached', 'cached'])
  // By its name, too.
  const curl = `console.log((await fetch('http://app.${fleet.name}.test:${number}/by-name')).status, process.env.APP_URL)`
  const named = await fleet.done(['join', '--quiet', '--', process.execPath, '--input-type=module', '-e', curl])
  expect(named.stdout).toMatch(new RegExp(`^200 http://(?:127\\.0\\.0\\.1|app\\..*):${number}\n$`))
  expect((await fleet.done(['logs', 'app'])).stdout).toMatch(/listening\n[\s\S]*asked for \/by-name\n/)
  expect((await fleet.done(['exec', 'app', '--', 'sh', '-c', 'echo "$PORT $BACKEND_URL $PWD"'])).stdout).toBe(
    `${number} http://127.0.0.1:${port}/a ${folder}\n`,
  )
  expect(await fleet.json(['up'])).toEqual(first)
  await fleet.done(['stop', 'app'])
  expect(await isFree(number)).toBe(true)
  await fleet.done(['start', 'app'])
  // Other exports of what it depends on start it again.
  await fleet.declare({ app, backend: { ...backend, export: { BACKEND_URL: 'other' } }, cache })
  expect((await fleet.done(['plan'])).stdout).toContain(
    'start   app: what it depends on has another address or other exports\n',
  )
  await fleet.done(['up'])
  expect(await ask(number)).toMatchObject({ BACKEND_URL: 'other' })
  // A change that fails leaves it as it was.
  const broken: Servers[string] = { process: ['no-such-program'] }
  await fleet.declare({
    app: { ...app, environment: { ...environment, A: 1 } },
    backend: { ...backend, export: { BACKEND_URL: 'other' } },
    cache,
    broken,
  })
  expect(await fleet.call(['up'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/error: broken: .*no-such-program[\s\S]*asked for at testfleet\.json:\d+:\d+/),
  })
  expect(await ask(number)).toMatchObject({ BACKEND_URL: 'other' })
  await fleet.done(['down'])
  expect(await isFree(number)).toBe(true)
  expect(await countLeftovers(fleet.name)).toBe(0)
})

test('a process that cannot run, that dies or that does not stop is reported as what it is', async () => {
  const number = await free()
  const app: Servers[string] = {
    process: [process.execPath, 'app/app.mjs'],
    environment: { PORT: number, STUBBORN: 'yes' },
    ports: [number],
    stopGracePeriod: 1,
  }
  await fleet.declare({ taken: { process: ['sleep', '600'], ports: [port] } })
  expect(await fleet.call(['up'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      new RegExp(
        `error: taken: .*127\\.0\\.0\\.1:${port}, by .*\\(process ${process.pid}\\)[\\s\\S]*asked for at testfleet\\.json:`,
      ),
    ),
  })
  await fleet.declare({ app })
  const end = `await fetch('http://127.0.0.1:${number}/').then((answer) => answer.text())`
  const run = await fleet.call(['run', '--', process.execPath, '--input-type=module', '-e', end])
  expect(run).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('app was killed: it still ran 1 s after SIGTERM'),
  })
  // A death while the command runs is reported at its end.
  const kill = `await fetch('http://127.0.0.1:${number}/end').catch(() => {})`
  const died = await fleet.call(['run', '--', process.execPath, '--input-type=module', '-e', kill])
  expect(died.stderr).toContain('app ended with exit code 7 while the command ran')
  // Nothing is left when testfleet itself is killed.
  const killed = await startTestfleet(['run', '--', 'sleep', '600'], { cwd: fleet.folder })
  await killed.waitForOutput(/app: ready/)
  killed.kill('SIGKILL')
  await vi.waitFor(async () => expect(await isFree(number)).toBe(true), { timeout: SOON_MS, interval: 100 })
  await vi.waitFor(async () => expect(await countLeftovers(fleet.name)).toBe(0), { timeout: SOON_MS, interval: 100 })
})

test(
  'a process that ends before it is ready fails the start, and nothing that needs a container is done with one',
  wide,
  async () => {
    const number = await free()
    await fleet.declare({
      brief: { process: ['sh', '-c', 'echo "no such setting" >&2; exit 3'], ready: [{ tcp: number }] },
    })
    expect(await fleet.call(['up'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/brief ended with exit code 3[\s\S]*no such setting/),
    })
    await fleet.declare({ app: { process: ['sleep', '600'] } })
    await fleet.done(['up'])
    const refused = await Promise.all(
      [
        ['cp', 'app:/etc/passwd', '.'],
        ['reset', 'app'],
        ['lease', 'app', '--', 'true'],
      ].map((words) => fleet.call(words)),
    )
    for (const { exitCode, stderr } of refused)
      expect({ exitCode, stderr }).toEqual({
        exitCode: 2,
        stderr: expect.stringContaining('it is a process of this machine, which has no image'),
      })
    await fleet.done(['down'])
  },
)

test('the sample of a program under test passes as it is written', wide, async () => {
  const cwd = join(import.meta.dirname, '../../examples/process')
  const { exitCode, stdout, stderr } = await runTestfleet(['run', '--', process.execPath, '--test'], { cwd })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('app: ready') })
  expect(stdout).toMatch(/pass 2\b/)
})
