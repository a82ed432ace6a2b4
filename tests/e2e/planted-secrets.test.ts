import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { type CommandResult, withEngine } from '../support/command.ts'
import { findKeeper } from '../support/holds.ts'
import { askEngine } from '../support/raw-engine.ts'
import { base, endFleets, makeFleet, server, type TestFleet } from '../support/test-fleet.ts'

afterAll(endFleets)

const planted = () => `planted${randomBytes(12).toString('hex')}`
const given = { env: planted(), file: planted() }
const secrets = { GIVEN: { env: 'PLANTED_ENV' }, FILED: { file: 'secret.txt' }, MADE: { generate: 32 } }

/** Every user of this machine can see these. */
async function listProcesses(): Promise<string[]> {
  return (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
}

/** A process that is older is looked at now and then, in case it becomes another program. */
const YOUNG_LOOKS = 10
const SELDOM_LOOKS = 10

/** What any process said of itself while `work` was done. */
async function watchProcesses(work: Promise<unknown>): Promise<string> {
  const seen = new Set<string>()
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  const looks = new Map<string, number>()
  for (let turn = 0; !isDone; turn++) {
    const processes = await listProcesses()
    const due = processes.filter((one) => (looks.get(one) ?? 0) < YOUNG_LOOKS || turn % SELDOM_LOOKS === 0)
    for (const one of due) looks.set(one, (looks.get(one) ?? 0) + 1)
    const lines = due.map((one) => readFile(`/proc/${one}/cmdline`, 'utf8').catch(() => ''))
    for (const words of await Promise.all(lines)) seen.add(words)
    await sleep(20)
  }
  await done
  return [...seen].join('\n')
}

/** Everything of an image: its configuration, its history, each file of each layer. */
async function searchImage(reference: string, values: readonly string[]): Promise<string[]> {
  const socketPath = await withEngine(async ({ location }) => new URL(location.url).pathname)
  const found = new Set<string>()
  let bytes = 0
  await new Promise<void>((resolve, reject) => {
    request({ socketPath, path: `/images/${reference}/get` }, async (response) => {
      let tail = Buffer.alloc(0)
      try {
        for await (const chunk of response) {
          bytes += chunk.length
          const text = Buffer.concat([tail, chunk])
          for (const value of values) if (text.includes(value)) found.add(value)
          tail = text.subarray(-200)
        }
        resolve()
      } catch (error) {
        reject(error)
      }
    })
      .once('error', reject)
      .end()
  })
  // It was the image that was looked through, not a message.
  expect(bytes).toBeGreaterThan(1_000_000)
  return [...found]
}

async function everythingOnTheEngine(fleet: TestFleet): Promise<string> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`dev.testfleet.fleet=${fleet.name}`] }))
  const containers = (await askEngine('GET', `/containers/json?all=true&filters=${filters}`)) as { Id: string }[]
  const inspected = await Promise.all(containers.map(({ Id }) => askEngine('GET', `/containers/${Id}/json`)))
  const others = ['networks', 'volumes', 'images/json'].map((kind) => askEngine('GET', `/${kind}?filters=${filters}`))
  return JSON.stringify([containers, inspected, await Promise.all(others)])
}

test('a secret is only in the file of its server and where the fleet file uses it', async () => {
  const startedAt = Math.floor(Date.now() / 1000)
  const web = {
    build: { from: base, copy: [{ content: 'x', to: '/x' }], run: ['echo built > /built'] },
    command: ['sh', '-c', 'cat /run/secrets/GIVEN > /dev/null; exec sleep 600'],
    ports: [80],
    ready: [{ exec: ['test', '-s', '/run/secrets/MADE'] }],
    secrets,
    tls: true,
    export: { URL: 'http://app:${secret.MADE}@${host}:${port.80}/' },
  }
  const asked = server({ command: ['sleep', '600'], secrets, environment: { WANTED: { secret: 'GIVEN' } } })
  const fleet = await makeFleet([`web: ${JSON.stringify(web)}`, `asked: ${asked}`], {
    'secret.txt': `${given.file}\n`,
  })
  const options = { env: { PLANTED_ENV: given.env } }
  const printed: CommandResult[] = []
  const note = async (call: Promise<CommandResult>): Promise<void> => {
    const result = await call
    expect(result, result.stderr).toMatchObject({ exitCode: 0 })
    printed.push(result)
  }
  const call = (...words: string[]): Promise<void> => note(fleet.run(words, options))

  // As a process of its own, whose words would be seen.
  const processes = await watchProcesses(note(fleet.start(['up', 'web', '--verbose'], options).result))
  const { stdout: made } = await fleet.run(['exec', 'web', '--', 'cat', '/run/secrets/MADE'])
  expect(made).toMatch(/^\w{32}$/)
  const { stdout: key } = await fleet.run(['exec', 'web', '--', 'cat', '/run/testfleet/tls/key.pem'])
  const [, ...keyLines] = key.trim().split('\n').slice(0, -1)
  expect(keyLines.join('')).toMatch(/^[\w+/=]{80,}$/)
  const values = [given.env, given.file, made, ...keyLines]
  for (const words of ['check', 'plan --verbose', 'plan --json', 'build --json', 'up --json web', 'up web --verbose'])
    await call(...words.split(' '))
  for (const words of ['ps', 'ps --json', 'logs', 'endpoints', 'endpoints --json', 'doctor --json', 'prune --dry-run'])
    await call(...words.split(' '))
  const running = fleet.start(
    ['run', '--verbose', '--server', 'web', '--', 'sh', '-c', 'echo begun; exec sleep 600'],
    options,
  )
  await running.waitForOutput(/^begun$/m)
  const { pid } = await findKeeper(fleet)
  const keeper = await readFile(`/proc/${pid}/environ`, 'latin1')
  const engine = await everythingOnTheEngine(fleet)
  running.kill('SIGTERM')
  printed.push(await running.result)

  const texts = {
    printed: JSON.stringify(printed),
    processes,
    engine,
    keeper,
    events: await readEvents(startedAt),
  }
  expect(texts.engine).toContain(`${fleet.name}-web`)
  expect(texts.processes).toMatch(/testfleet\S*\0up\0web\0--verbose/)
  expect(texts.events).toContain(fleet.name)
  for (const [where, text] of Object.entries(texts))
    for (const value of values) expect(text.includes(value), `${value} in ${where}`).toBe(false)
  for (const image of await fleet.listImages()) expect(await searchImage(image, values)).toEqual([])

  // Where it is asked for, it is; which also shows that looking for it finds it.
  await call('up', 'asked')
  const withAsked = await everythingOnTheEngine(fleet)
  expect(withAsked).toContain(`WANTED=${given.env}`)
  expect(withAsked).not.toContain(given.file)
  const { stdout } = await fleet.run(['endpoints', '--format', 'env'], options)
  expect(stdout).toContain(`http://app:${made}@`)
  await call('down')
})

/** The events that the engine sends to every client. */
async function readEvents(since: number): Promise<string> {
  const socketPath = await withEngine(async ({ location }) => new URL(location.url).pathname)
  const until = Math.floor(Date.now() / 1000)
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/events?since=${since}&until=${until}` }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve(text)
    })
      .once('error', reject)
      .end()
  })
}
