import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'
import type { CommandResult } from '../support/command.ts'

let session: CatalogueSession

const alicesPassword = `it's "a" $password \\ of alice`
const seed = {
  queues: [{ name: 'orders', vhost: 'shop', durable: true, auto_delete: false, arguments: {} }],
  exchanges: [
    { name: 'news', vhost: 'shop', type: 'fanout', durable: true, auto_delete: false, internal: false, arguments: {} },
  ],
  bindings: [
    { source: 'news', vhost: 'shop', destination: 'orders', destination_type: 'queue', routing_key: '', arguments: {} },
  ],
}

beforeAll(async () => {
  session = await startCatalogue(
    {
      full: {
        preset: 'rabbitmq',
        options: {
          user: 'boss',
          users: { alice: { file: 'alice.txt' }, guest: { value: 'guest' } },
          vhosts: ['shop'],
          seed: 'definitions.json',
          settings: ['heartbeat = 7'],
          tls: true,
        },
      },
      plain: { preset: 'rabbitmq' },
      tools: {
        build: { packages: ['amqp-tools', 'ca-certificates'] },
        command: ['sleep', '3600'],
        limits: { memory: '64m' },
      },
    },
    { 'definitions.json': JSON.stringify(seed), 'alice.txt': alicesPassword },
  )
})

afterAll(() => session.end())

interface Place {
  readonly server: string
  readonly user: string
  readonly password: string
  readonly vhost?: string
  readonly more?: readonly string[]
}

function amqp(tool: string, { server, user, password, vhost = '/', more = [] }: Place, ...words: string[]) {
  const login = ['--server', server, '--username', user, '--password', password, '--vhost', vhost]
  return session.fleet.call(['exec', 'tools', '--', tool, ...(more.length > 0 ? more : login), ...words])
}

const ask = (server: string, login: string, path: string): Promise<CommandResult> =>
  session.client('curl', '-sS', '--user', login, `http://${server}:15672/api/${path}`)

test('works without options, from the network and from the host', async () => {
  const place = { server: 'plain', user: 'test', password: await session.secret('plain', 'PASSWORD') }
  expect(await amqp('amqp-declare-queue', place, '--queue', 'letters')).toMatchObject({
    stdout: 'letters\n',
    exitCode: 0,
  })
  expect(await amqp('amqp-publish', place, '--routing-key', 'letters', '--body', 'hello')).toMatchObject({
    exitCode: 0,
  })
  expect((await amqp('amqp-get', place, '--queue', 'letters')).stdout).toBe('hello')
  const { AMQP_URL, RABBITMQ_MANAGEMENT_URL = '' } = session.variables
  expect(AMQP_URL).toMatch(new RegExp(`^amqp://test:${place.password}@127\\.0\\.0\\.1:\\d+$`))
  const login = `test:${place.password}`
  const whoAmI = await session.host('curl', '-sS', '--user', login, `${RABBITMQ_MANAGEMENT_URL}/api/whoami`)
  expect(JSON.parse(whoAmI.stdout)).toMatchObject({ name: 'test', tags: ['administrator'] })
})

test('accepts the password of each user, and no other', async () => {
  const alice = { server: 'full', user: 'alice', password: alicesPassword, vhost: 'shop' }
  expect((await amqp('amqp-declare-queue', alice, '--queue', 'hers')).stdout).toBe('hers\n')
  for (const wrong of [
    { ...alice, password: 'wrong' },
    { ...alice, user: 'carol', password: 'guest' },
  ])
    expect((await amqp('amqp-declare-queue', wrong, '--queue', 'hers')).stderr).toMatch(/ACCESS_REFUSED|login refused/)
  expect((await ask('full', 'carol:guest', 'whoami')).stdout).toContain('not_authorized')
  expect((await ask('full', `alice:${alicesPassword}`, 'whoami')).stdout).toMatch(/not_authorised.*Not management user/)
})

test('accepts guest with its well-known password from other machines only with its option', async () => {
  const guest = { server: 'full', user: 'guest', password: 'guest', vhost: 'shop' }
  expect((await amqp('amqp-declare-queue', guest, '--queue', 'open')).stdout).toBe('open\n')
})

test('starts with its virtual hosts and its seed', async () => {
  const password = await session.secret('full', 'PASSWORD')
  const boss = { server: 'full', user: 'boss', password, vhost: 'shop' }
  expect(await amqp('amqp-publish', boss, '--exchange', 'news', '--body', 'first')).toMatchObject({ exitCode: 0 })
  expect((await amqp('amqp-get', boss, '--queue', 'orders')).stdout).toBe('first')
  const vhosts: readonly { name: string }[] = JSON.parse((await ask('full', `boss:${password}`, 'vhosts')).stdout)
  expect(vhosts.map(({ name }) => name).sort()).toEqual(['/', 'shop'])
})

test('has the settings of its options', async () => {
  const words = ['rabbitmqctl', 'eval', 'application:get_env(rabbit, heartbeat).']
  const { stdout } = await session.fleet.call(['exec', 'full', '--', ...words])
  expect(stdout).toBe('{ok,7}\n')
})

test('gives `exec` a login: rabbitmqadmin and rabbitmqctl work without options', async () => {
  const { stdout } = await session.fleet.done(['exec', 'full', '--', 'rabbitmqadmin', '-f', 'bash', 'list', 'vhosts'])
  expect(stdout.trim().split(' ')).toContain('shop')
  const users = await session.fleet.done(['exec', 'full', '--', 'rabbitmqctl', '-q', 'list_users'])
  expect(users.stdout).toMatch(/^boss\t\[administrator\]$/m)
})

test("speaks TLS with a certificate of the fleet's authority", async () => {
  const password = await session.secret('full', 'PASSWORD')
  const over = (roots: string): Place => {
    const more = ['--url', `amqps://boss:${password}@full:5671/%2f`, '--ssl', '--cacert', roots]
    return { server: 'full', user: 'boss', password, more }
  }
  const words = ['--queue', 'secrets']
  expect(await amqp('amqp-declare-queue', over('/etc/ssl/certs/ca-certificates.crt'), ...words)).toMatchObject({
    stdout: 'secrets\n',
    stderr: '',
  })
  const refused = await amqp('amqp-declare-queue', over('/etc/ssl/certs/ISRG_Root_X1.pem'), ...words)
  // That is all that this client says of it.
  expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: 'opening socket to full:5671\n' })
  const verify = ['openssl', 's_client', '-connect', 'full:5671', '-verify_return_error']
  const stranger = await session.clientWith('', ...verify, '-CAfile', '/etc/ssl/certs/ISRG_Root_X1.pem')
  expect(stranger.stdout + stranger.stderr).toMatch(/unable to get local issuer certificate|self-signed certificate/)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('plain')).toMatch(/^(?:amqp :5672|http :15672.*): does not answer/)
})
