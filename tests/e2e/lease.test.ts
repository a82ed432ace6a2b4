import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { countLeftovers, listRecords, removeFleetFolders, SOON_MS, startTestfleet } from '../support/command.ts'
import { noteServer } from '../support/lent-servers.ts'
import { Testfleet } from '../support/library.ts'
import { makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { readError } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

let fleet: StoryFleet
let environment: Readonly<Record<string, string>>

beforeAll(async () => {
  fleet = await makeFleet({
    fresh: noteServer({ pool: 2, mounts: [{ volume: 'notes', to: '/var', writable: true }] }),
    paused: noteServer({ pool: { size: 1, paused: true }, isolation: 'container' }),
    kept: noteServer({ pool: 1, isolation: 'reset', reset: [['rm', '-f', '/var/notes']] }),
    plain: noteServer({}),
    stubborn: noteServer({ pool: 1, isolation: 'reset', reset: [['false']] }),
    large: noteServer({ pool: 64, limits: { memory: '64g' } }),
    seed: { image: 'debian:bookworm-slim', command: ['true'], ready: [{ exit: 0 }] },
  })
  await fleet.done(['up'])
  await using running = await new Testfleet({ folder: fleet.folder }).join()
  environment = running.environment
})

afterAll(async () => {
  await fleet.cleanUp()
  expect(await countLeftovers(fleet.name)).toBe(0)
  expect((await listRecords()).filter((record) => record.fleet === fleet.name)).toEqual([])
  await removeFleetFolders()
})

/** Writes a line into a server, and returns what was in it. */
async function write({ host, port }: { readonly host: string; readonly port: number }, line: string): Promise<string> {
  const socket = connect(port, host).setEncoding('utf8')
  socket.write(`${line}\n`)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer.trim()
}

const poolSession = async () => (await listRecords()).find(({ parent, fleet: of }) => parent && of === fleet.name)
const lenderPid = async (): Promise<number> => {
  const { lifetime } = (await poolSession()) ?? {}
  return lifetime?.kind === 'held' ? (lifetime.holders[0]?.process.pid ?? 0) : 0
}

/** A client in Python, which is asked and answers line by line. */
function startClient() {
  const script = join(import.meta.dirname, '../support/lend-client.py')
  const child = spawn('python3', [script], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const send = async (name: string, request: unknown) => {
    child.stdin.write(`${name} ${JSON.stringify(request)}\n`)
    return JSON.parse((await lines.next()).value ?? '')
  }
  return {
    ask: (request: object) => send('ask', request),
    tell: (lease: object, text: string): Promise<string> => send('tell', [lease, text]),
    async end(signal: NodeJS.Signals) {
      child.kill(signal)
      await once(child, 'exit')
    },
  }
}

test('a client in another language leases a copy, reaches it, and gives it back', async () => {
  const client = startClient()
  const lease = await client.ask({ id: 1, lease: 'fresh' })
  const { host, port } = lease.endpoints['5000/tcp']
  expect(lease).toMatchObject({
    id: 1,
    server: 'fresh',
    copy: expect.stringMatching(/^fresh-[12]$/),
    isolation: 'container',
    hostname: `${lease.copy}.${fleet.name}.test`,
    environment: {
      NOTES_AT: `${host}:${port}`,
      TESTFLEET_FRESH_HOST: host,
      TESTFLEET_FRESH_PORT: String(port),
      TESTFLEET_FRESH_HOSTNAME: `${lease.copy}.${fleet.name}.test`,
    },
  })
  expect(await client.tell(lease, 'mine')).toBe('[]')
  expect(await client.tell(lease, '')).toBe('[mine]')
  const other = await client.ask({ id: 'two', lease: 'fresh' })
  expect(other.copy).not.toBe(lease.copy)
  expect(await client.tell(other, 'mine')).toBe('[]')
  // Both are lent.
  expect(await client.ask({ id: 3, lease: 'fresh', timeoutMs: 1 })).toEqual({
    id: 3,
    error: {
      code: 'TIMED_OUT',
      message: 'no pristine fresh within 1 ms: 2 of 2 copies lent',
      hint: 'Set `pool` of the server to more copies, release leases sooner, or wait longer.',
      server: 'fresh',
    },
  })
  expect(await client.ask({ id: 4, release: lease.lease })).toEqual({ id: 4 })
  const next = await client.ask({ id: 5, lease: 'fresh' })
  expect(next.container).not.toBe(lease.container)
  expect(await client.tell(next, 'mine')).toBe('[]')
  const mistakes = [
    [{ id: 6, release: lease.lease }, 'USAGE', `this client has no lease ${lease.lease}`],
    [{ id: 7, lease: 'nobody' }, 'UNKNOWN_SERVER', expect.stringContaining('nobody')],
    [{ id: 8, lease: 5 }, 'USAGE', '`lease` must be a text of at most 100 characters'],
    [{ id: 9, lease: 'fresh', timeoutMs: 'soon' }, 'USAGE', expect.stringContaining('`timeoutMs` must be a whole')],
    [{ id: 10, lease: 'seed' }, 'USAGE', 'seed cannot be lent: it is a server that ends'],
    [
      { id: 12, lease: 'large' },
      'USAGE',
      expect.stringMatching(/^large cannot be lent as a copy: 64 copies need .* memory/),
    ],
    [{ id: 11 }, 'USAGE', 'a request has `lease`, `release` or `status`'],
  ] as const
  for (const [request, code, message] of mistakes)
    expect(await client.ask(request)).toMatchObject({ id: request.id, error: { code, message } })
  // Its end is the end of its leases, however it ends.
  await client.end('SIGKILL')
  const later = startClient()
  for (const id of [1, 2]) expect(await later.tell(await later.ask({ id, lease: 'fresh' }), 'mine')).toBe('[]')
  await later.end('SIGTERM')
})

test('a reset copy keeps its container and loses what was written; one that cannot be reset is replaced', async () => {
  const testfleet = new Testfleet({ folder: fleet.folder })
  await using running = await testfleet.join()
  const containers: string[] = []
  for (const name of ['kept', 'stubborn'] as const) {
    for (let round = 0; round < 2; round++) {
      await using lease = await running.lease(name)
      expect(await write(lease.endpoint(5000), 'mine')).toBe('[]')
      expect(lease.exports).toEqual({ NOTES_AT: `127.0.0.1:${lease.endpoint().port}` })
      containers.push((await lease.exec(['cat', '/etc/hostname', '/var/notes'])).stdout)
    }
  }
  const [kept, keptAgain, stubborn, stubbornAgain] = containers
  expect(keptAgain).toBe(kept)
  expect(kept).toBe(`kept-1.${fleet.name}.test\nmine\n`)
  expect(stubborn).toContain('mine')
  expect(stubbornAgain).not.toBe(stubborn)
  await expect(running.lease('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_SERVER' })
  await expect(running.lease('kept', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'USAGE' })
})

test(
  'a paused copy is resumed for its lease, and a server without a pool is copied by its first lease',
  wide,
  async () => {
    const testfleet = new Testfleet({ folder: fleet.folder })
    for (const name of ['paused', 'plain']) {
      await using lease = await testfleet.lease(name)
      expect(await write(lease.endpoint(), 'mine')).toBe('[]')
      expect(lease.copy).toBe(`${name}-1`)
    }
  },
)

describe('testfleet lease', () => {
  test('gives its command the variables of a copy, and the exit code is that of the command', async () => {
    const script =
      'echo "$NOTES_AT $TESTFLEET_KEPT_HOSTNAME $TESTFLEET_LENDER $TESTFLEET_LEASES"; echo "$TESTFLEET_LEASED"; exit 3'
    const { exitCode, stdout } = await fleet.call(['lease', 'kept', 'fresh', '--quiet', '--', 'sh', '-c', script])
    expect(exitCode).toBe(3)
    const [values = '', names = ''] = stdout.split('\n')
    expect(names.split(' ')).toEqual(
      expect.arrayContaining(['NOTES_AT', 'TESTFLEET_KEPT_HOST', 'TESTFLEET_FRESH_PORT']),
    )
    expect(names).not.toContain('TESTFLEET_PLAIN')
    const [at, hostname, lender, ...leases] = values.split(' ')
    const pool = expect.stringMatching(new RegExp(`^${fleet.name}-pool-\\w+/(?:fresh-\\d+|kept-1)$`))
    expect(leases).toEqual([pool, pool])
    expect(at).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(at).not.toBe(environment.NOTES_AT)
    expect({ hostname, lender }).toEqual({
      hostname: `kept-1.${fleet.name}.test`,
      lender: environment.TESTFLEET_LENDER,
    })
  })

  test('refuses the same server twice', async () => {
    const result = await fleet.call(['lease', 'kept', 'kept', '--json', '--', 'true'])
    const message = 'the server kept is duplicated'
    expect(readError(result)).toMatchObject({ code: 'USAGE', message, hint: 'Name each server once.' })
  })

  test('that is killed gives its copy back, pristine', async () => {
    const script = 'exec 3<>/dev/tcp/${NOTES_AT/://}; echo mine >&3; read answer <&3; echo "$answer"; exec sleep 600'
    const held = startTestfleet(['lease', 'kept', '--', 'bash', '-c', script], { cwd: fleet.folder })
    await held.waitForOutput(/\[\]/)
    const waiting = fleet.call(['lease', 'kept', '--timeout', '1ms', '--json', '--', 'true'])
    expect(readError(await waiting)).toMatchObject({ code: 'TIMED_OUT' })
    held.kill('SIGKILL')
    const { stdout } = await fleet.done(['lease', 'kept', '--', 'bash', '-c', script.replace('; exec sleep 600', '')])
    expect(stdout).toBe('[]\n')
  })
})

test('a session ends while copies of its servers are being created', async () => {
  const short = await makeFleet({
    paused: noteServer({ pool: { size: 2, paused: true } }),
    running: noteServer({ pool: 2 }),
  })
  const running = await new Testfleet({ folder: short.folder }).start()
  const isBegun = async (): Promise<boolean> =>
    (await listRecords()).some(({ parent, fleet: of }) => parent !== undefined && of === short.name)
  await vi.waitFor(async () => expect(await isBegun()).toBe(true), { timeout: SOON_MS })
  await running.down()
  expect((await listRecords()).filter(({ fleet: of }) => of === short.name)).toEqual([])
})

test('a lender that is killed leaves nothing behind, and the next lease starts a new one', async () => {
  const testfleet = new Testfleet({ folder: fleet.folder })
  await using running = await testfleet.join()
  await running.lease('kept')
  const session = await poolSession()
  process.kill(await lenderPid(), 'SIGKILL')
  const next = await vi.waitFor(() => running.lease('kept'), { timeout: SOON_MS })
  expect(await write(next.endpoint(), 'mine')).toBe('[]')
  await vi.waitFor(async () => expect(await countLeftovers(session?.name)).toBe(0), { timeout: SOON_MS })
  expect((await poolSession())?.id).not.toBe(session?.id)
})
