import { describe, expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'
import type { Server } from '../model/fleet.ts'

const load = async (server: string, environment: Record<string, string> = {}): Promise<Server> => {
  const found = (await loadText(`servers:\n  db: ${server}\n`, undefined, environment)).servers.get('db')
  if (found === undefined) throw new Error('there is no server')
  return found
}
const exportsOf = ({ export: exported }: Server) => Object.fromEntries(exported)

describe('an external server with a preset', () => {
  test('exports the variables of the preset, with the parts of its URL', async () => {
    const server = await load(
      '{ preset: postgresql, external: "postgres://app:p%40ss@db.staging:6543/shop?sslmode=require" }',
    )
    expect(server.runs).toEqual({
      kind: 'external',
      url: 'postgres://app@db.staging:6543/shop?sslmode=require',
      addresses: [{ container: 5432, protocol: 'tcp', address: 'db.staging', port: 6543 }],
    })
    expect(server.hostname).toBe('db.staging')
    expect(exportsOf(server)).toEqual({
      DATABASE_URL: 'postgres://app:${secret.PASSWORD}@${endpoint.5432}/shop?sslmode=require',
      PGHOST: '${host}',
      PGPORT: '${port.5432}',
      PGUSER: 'app',
      PGPASSWORD: '${secret.PASSWORD}',
      PGDATABASE: 'shop',
    })
    expect([...server.secrets]).toEqual([['PASSWORD', { kind: 'url', text: 'p@ss', from: undefined }]])
    expect(server.ready).toEqual([
      { kind: 'postgres', port: 5432, user: 'app', password: { secret: 'PASSWORD' }, database: 'shop' },
    ])
  })

  test.each([
    ['{ preset: redis, external: "redis://h:7000" }', { REDIS_URL: 'redis://${endpoint.6379}/0' }],
    [
      '{ preset: redis, external: "redis://:pw@h:7000/3" }',
      { REDIS_URL: 'redis://:${secret.PASSWORD}@${endpoint.6379}/3' },
    ],
    [
      '{ preset: redis, external: "rediss://me:pw@h" }',
      { REDIS_TLS_URL: 'rediss://me:${secret.PASSWORD}@${endpoint.6380}/0' },
    ],
    ['{ preset: nginx, external: "https://h/api" }', { WEB_TLS_URL: 'https://${endpoint.443}/api' }],
    ['{ preset: nginx, external: "http://me:pw@h:81" }', { WEB_USER: 'me', WEB_PASSWORD: '${secret.PASSWORD}' }],
    ['{ preset: mariadb, external: "mysql://app:pw@h/shop" }', { MYSQL_DATABASE: 'shop', MYSQL_USER: 'app' }],
    [
      '{ preset: rabbitmq, external: "amqp://a:pw@h/v" }',
      { AMQP_URL: 'amqp://a:${secret.PASSWORD}@${endpoint.5672}/v' },
    ],
  ])('%s exports %j', async (server, expected) => {
    expect(exportsOf(await load(server))).toMatchObject(expected)
  })

  test('leaves out what its URL does not name', async () => {
    const exported = exportsOf(await load('{ preset: postgresql, external: "postgres://h" }'))
    expect(exported).toEqual({ DATABASE_URL: 'postgres://${endpoint.5432}', PGHOST: '${host}', PGPORT: '${port.5432}' })
  })

  test('takes from its options what its URL does not name', async () => {
    const options = '{ user: app, database: shop, password: { env: PW } }'
    const server = await load(`{ preset: postgresql, options: ${options}, external: "postgres://h" }`)
    expect(exportsOf(server).DATABASE_URL).toBe('postgres://app:${secret.PASSWORD}@${endpoint.5432}/shop')
    expect([...server.secrets]).toEqual([['PASSWORD', { kind: 'env', variable: 'PW' }]])
  })

  test('is asked in its own protocol, also with TLS', async () => {
    const server = await load('{ preset: redis, external: "rediss://:pw@h:7000" }')
    expect(server.ready).toEqual([{ kind: 'redis', port: 6380, tls: true, password: { secret: 'PASSWORD' } }])
    expect(server.runs).toMatchObject({
      addresses: [
        { container: 6379, port: 6379 },
        { container: 6380, port: 7000 },
      ],
    })
  })

  test('is not asked for a page that only the web server of the preset has', async () => {
    expect((await load('{ preset: nginx, external: "http://h:81" }')).ready).toEqual([{ kind: 'tcp', port: 80 }])
  })

  test('must speak what the preset speaks', async () => {
    expect(await mistakesIn('servers:\n  db: { preset: postgresql, external: "mysql://h" }\n')).toEqual([
      '2:39 servers.db.external: `mysql:` does not fit the preset postgresql, which speaks postgresql',
    ])
  })
})

describe('an external server without a preset', () => {
  test.each([
    ['tcp://h:5000', [{ kind: 'tcp', port: 5000 }], ['5000/tcp']],
    ['http://h:5000/api', [{ kind: 'tcp', port: 5000 }], ['5000/tcp']],
    ['redis://h', [{ kind: 'redis', port: 6379 }], ['6379/tcp']],
    ['udp://[::1]:5000', [], ['5000/udp']],
    ['dns://h', [{ kind: 'dns', port: 53 }], ['53/tcp']],
    [
      'postgres://a:b@h/c',
      [{ kind: 'postgres', user: 'a', database: 'c', password: { secret: 'PASSWORD' }, port: 5432 }],
      ['5432/tcp'],
    ],
  ])('at %s is asked with %j', async (url, ready, ports) => {
    const server = await load(JSON.stringify({ external: url }))
    expect(server.ready).toEqual(ready)
    expect(server.ports.map(({ container, protocol }) => `${container}/${protocol}`)).toEqual(ports)
  })

  test('has the port and the checks that the file declares', async () => {
    const server = await load('{ external: "http://h:8443", ports: [80], ready: [{ http: { port: 80, path: /up } }] }')
    expect(server.runs).toMatchObject({ addresses: [{ container: 80, address: 'h', port: 8443 }] })
    expect(server.ready).toMatchObject([{ kind: 'http', port: 80, path: '/up' }])
  })
})

describe('a URL from a variable', () => {
  const fleet =
    '{ image: postgres:16, command: [x], secrets: { PW: { generate: 20 } }, ports: [5432], external: { env: STAGING }, ' +
    'ready: [{ postgres: { port: 5432, user: a, password: { secret: PW } } }, { log: up }], ' +
    'export: { URL: "postgres://a:${secret.PW}@${endpoint.5432}/a", PW: "${secret.PW}", PORT: "${port.5432}" } }'

  test('replaces the container once the variable is set', async () => {
    const server = await load(fleet, { STAGING: 'postgres://me:pw@h:7000/shop' })
    expect(server.runs).toMatchObject({ kind: 'external', url: 'postgres://me@h:7000/shop' })
    expect(exportsOf(server)).toEqual({
      URL: 'postgres://me:${secret.PASSWORD}@${endpoint.5432}/shop',
      PORT: '${port.5432}',
    })
    expect(server.ready).toEqual([
      { kind: 'postgres', port: 5432, user: 'me', password: { secret: 'PASSWORD' }, database: 'shop' },
    ])
    expect([...server.secrets]).toEqual([['PASSWORD', { kind: 'url', text: 'pw', from: 'STAGING' }]])
    expect(server.command).toBeUndefined()
  })

  test.each([{}, { STAGING: '' }])('leaves the container as it is with %j', async (environment) => {
    const server = await load(fleet, environment)
    expect(server.runs).toEqual({ kind: 'container', image: { kind: 'named', reference: 'postgres:16' } })
    expect([...server.secrets.keys()]).toEqual(['PW'])
  })

  test('that is not set is a mistake for a server without a container', async () => {
    expect(await mistakesIn('servers:\n  db: { external: { env: STAGING } }\n')).toEqual([
      '2:26 servers.db.external.env: the variable STAGING is not set where testfleet was called, and the server has no image, build or preset to run instead',
    ])
  })

  test('is not quoted when it is wrong', async () => {
    const written = 'servers:\n  db: { image: a, external: { env: STAGING } }\n'
    expect(await mistakesIn(written, undefined, { STAGING: 'secret' })).toEqual([
      '2:36 servers.db.external.env: the value of STAGING must be a URL such as postgres://user@host:5432/database or tcp://host:port',
    ])
  })
})

const nothing = 'means nothing for an external server, which testfleet does not start'
test.each([
  ['{ external: 5 }', '2:19 servers.db.external: '],
  [
    '{ external: "postgres://db/shop?sslmode=require&Password=geheim" }',
    '2:19 servers.db.external: must not have `Password` in its query, where everyone would see it',
  ],
  [
    '{ external: "http://h?access_token=geheim" }',
    '2:19 servers.db.external: must not have `access_token` in its query',
  ],
  ['{ external: "" }', '2:19 servers.db.external: must be a URL such as'],
  ['{ external: "db:5432" }', '2:19 servers.db.external: must be a URL such as'],
  ['{ external: "tcp://h" }', '2:19 servers.db.external: must name a port, such as tcp://host:1234'],
  ['{ external: "tcp://h:0" }', '2:19 servers.db.external: must name a port'],
  ['{ external: "tcp://h:65536" }', '2:19 servers.db.external: must be a URL with a host'],
  ['{ external: "tcp://:80" }', '2:19 servers.db.external: must be a URL with a host'],
  ['{ external: "tcp://h h:80" }', '2:19 servers.db.external: must be a URL without spaces'],
  ['{ external: "tcp://[::g]:80" }', '2:19 servers.db.external: must be a URL with a host'],
  ['{ external: "tcp://h%20:80" }', '2:19 servers.db.external: must have a host'],
  [
    '{ external: "redis://a:%ff@h" }',
    '2:19 servers.db.external: must have a user, a password and a path of valid text',
  ],
  ['{ external: "http://h/#a" }', '2:19 servers.db.external: cannot have a part after `#`'],
  [
    `{ external: "tcp://${'h'.repeat(1024)}:80" }`,
    '2:19 servers.db.external: must be a URL of at most 1024 characters',
  ],
  ['{ external: { env: A=B } }', '2:26 servers.db.external.env: must be the name of a variable'],
  ['{ external: { env: A, x: 1 }, image: a }', '2:29 servers.db.external.x: '],
  ['{ external: "tcp://h:80", command: [a] }', `2:42 servers.db.command: ${nothing}`],
  ['{ external: "tcp://h:80", limits: { pids: 1 } }', `2:41 servers.db.limits: ${nothing}`],
  ['{ external: "tcp://h:80", pool: 3 }', `2:39 servers.db.pool: ${nothing}`],
  [
    '{ external: "redis://h", preset: redis, options: { maxMemory: 1mb } }',
    `2:69 servers.db.options.maxMemory: ${nothing}`,
  ],
  ['{ external: "tcp://h:80", ready: [{ exec: [a] }] }', '2:49 servers.db.ready[0].exec: looks into a container'],
  ['{ external: "tcp://h:80", secrets: { A: { generate: 9 } } }', '2:47 servers.db.secrets.A: cannot be generated'],
  ['{ external: "tcp://h:80", image: a }', `2:40 servers.db.image: ${nothing}`],
])('%s is refused', async (server, expected) => {
  const mistakes = await mistakesIn(`servers:\n  db: ${server}\n`)
  expect(mistakes.join('\n')).toContain(expected)
  expect(mistakes.join('\n')).not.toContain('%ff')
})
