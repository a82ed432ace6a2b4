import { describe, expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'
import { desireServer } from '../servers/describe-server.ts'

const web = (...lines: readonly string[]): string =>
  `name: fleet\nservers:\n  web:\n    image: debian:bookworm-slim\n${lines.map((line) => `    ${line}\n`).join('')}`

const load = async (...lines: readonly string[]) => {
  const fleet = await loadText(web(...lines))
  const server = fleet.servers.get('web')
  if (server === undefined) throw new Error('there is no server web')
  return { fleet, server }
}

const lendingOf = async (...lines: readonly string[]) => (await load(...lines)).server.lending

const database =
  'database: { name: own, console: [psql], mark: "\\\\echo ${mark}", template: ["copy ${name} ${template}"], create: ["make ${database}"], drop: ["drop ${database}"] }'
const plain = { user: undefined, workingDir: undefined, environment: {} }

describe('how a server is lent', () => {
  test('is as copies of its container where the file says nothing', async () => {
    expect(await lendingOf()).toEqual({ isolation: 'container' })
    expect(await lendingOf('pool: 4')).toEqual({ isolation: 'container', pool: { size: 4, isPaused: false } })
    expect(await lendingOf('pool: { size: 64, paused: true }')).toMatchObject({ pool: { size: 64, isPaused: true } })
  })

  test('is by its reset if it has one, unless the file says otherwise', async () => {
    expect(await lendingOf('reset: []')).toEqual({ isolation: 'reset', reset: [] })
    expect(await lendingOf('reset: [[a]]', 'isolation: container')).toMatchObject({ isolation: 'container' })
  })

  test('takes steps as commands, as commands with more keys, and as lines for a console', async () => {
    const { reset } = await lendingOf(
      'secrets: { S: { generate: 8 } }',
      'reset:',
      '  - [flush, --all]',
      '  - { command: [wipe], user: 0042, workingDir: /srv, environment: { A: 1.10, B: { secret: S } }, timeout: 90s }',
      '  - { console: [redis-cli], send: FLUSHALL, expect: OK, fail: ERR, restarts: false }',
    )
    expect(reset).toEqual([
      { ...plain, kind: 'exec', command: ['flush', '--all'], timeoutMs: 10_000 },
      {
        kind: 'exec',
        command: ['wipe'],
        user: '0042',
        workingDir: '/srv',
        environment: { A: { kind: 'text', text: '1.10' }, B: { kind: 'secret', secret: 'S' } },
        timeoutMs: 90_000,
      },
      {
        ...plain,
        kind: 'console',
        command: ['redis-cli'],
        send: 'FLUSHALL\n',
        expect: 'OK',
        fail: 'ERR',
        restarts: false,
        timeoutMs: 10_000,
      },
    ])
  })

  test('takes a recipe for databases, and names the database in variables', async () => {
    const { server } = await load(
      database,
      'isolation: database',
      'ports: [5432]',
      'export: { URL: "pg://${host}/${database}" }',
      'execEnvironment: { PGDATABASE: { database: true } }',
      'postStart: [[seed]]',
    )
    expect(server.lending).toMatchObject({
      isolation: 'database',
      database: { name: 'own', console: { command: ['psql'], timeoutMs: 60_000 }, create: ['make ${database}'] },
    })
    expect(server.execEnvironment.get('PGDATABASE')).toEqual({ kind: 'text', text: 'own', isDatabase: true })
    expect(server.postStart[0]?.environment).toEqual({ PGDATABASE: { kind: 'text', text: 'own' } })
  })

  test('never changes its container, and is in its record', async () => {
    const desire = async (...lines: readonly string[]) => {
      const { fleet, server } = await load(...lines)
      const image = {
        desired: { kind: 'named', reference: 'a', platform: undefined, isPresent: true },
        identity: 'i',
      } as const
      return desireServer(server, fleet, image, {
        ...{ session: 's', sessionId: 'i', change: 'c', owner: 'o', network: undefined, volumes: new Map() },
        ...{ bind: 'free', defaultAddress: '127.0.0.1', engineHost: undefined, engineSocket: undefined },
        authority: undefined,
      })
    }
    const [without, lent] = await Promise.all([desire(), desire('pool: 2', 'reset: [[a]]', database)])
    expect(lent.digest).toBe(without.digest)
    expect(without.spec.lending).toBeUndefined()
    expect(lent.spec.lending).toMatchObject({ isolation: 'reset', pool: { size: 2 }, database: { name: 'own' } })
  })
})

describe('a mistake in the keys of leases', () => {
  const at = (key: string) => `servers.web.${key}`
  test.each([
    ['pool: 0', `5:11 ${at('pool')}: must be from 1 to 64`],
    ['pool: 65', `5:11 ${at('pool')}: must be from 1 to 64`],
    ['pool: 1.5', `5:11 ${at('pool')}: must be a whole number`],
    ['pool: many', `5:11 ${at('pool')}: must be`],
    ['pool: { paused: true }', `5:11 ${at('pool.size')}: is missing`],
    ['pool: { size: 2, paused: "no" }', `5:30 ${at('pool.paused')}: must be true or false, not "no"`],
    ['pool: { size: 2, idle: 1m }', `5:22 ${at('pool.idle')}: unknown key`],
    ['isolation: process', `5:16 ${at('isolation')}: must be container or reset or database`],
    ['isolation: reset', `5:16 ${at('isolation')}: \`reset\` needs the key \`reset\``],
    ['isolation: database', `5:16 ${at('isolation')}: \`database\` needs the key \`database\``],
    [
      'isolation: database\n    reset: []',
      `5:16 ${at('isolation')}: this server can have \`container\` or \`reset\`; \`database\` needs the key`,
    ],
    ['reset: flush', `5:12 ${at('reset')}: must be a list`],
    ['reset: [flush]', `5:12 ${at('reset')}: must be a list of commands, each of which is a list; write [[flush]]`],
    ['reset: [[]]', `5:13 ${at('reset[0]')}: needs at least one item`],
    ['reset: [{ user: a }]', `5:13 ${at('reset[0]')}: needs exactly one of \`command\` and \`console\``],
    ['reset: [{ console: [a], command: [b], send: c, expect: d }]', `5:13 ${at('reset[0]')}: needs exactly one of`],
    ['reset: [{ console: [a], send: b }]', `5:13 ${at('reset[0]')}: a console needs \`expect\``],
    ['reset: [{ console: [a], expect: b }]', `5:13 ${at('reset[0]')}: a console needs \`send\``],
    ['reset: [{ command: [a], expect: b }]', `5:37 ${at('reset[0].expect')}: \`expect\` goes with \`console\``],
    ['reset: [{ command: [a], timeout: 11m }]', `5:38 ${at('reset[0].timeout')}: must be from 1 ms to 10m`],
    ['reset: [{ command: [a], restarts: never }]', `5:39 ${at('reset[0].restarts')}: must be true or false`],
    ['reset: [{ command: [a], timeout: soon }]', `5:38 ${at('reset[0].timeout')}: must be a time such as`],
    ['reset: [{ console: [a], send: "", expect: b }]', `5:35 ${at('reset[0].send')}: `],
    [
      `reset: [{ console: [a], send: ${'x'.repeat(65_537)}, expect: b }]`,
      `5:35 ${at('reset[0].send')}: must be at most 65536`,
    ],
    [
      `reset: [{ console: [a], send: b, expect: ${'x'.repeat(1025)} }]`,
      `5:46 ${at('reset[0].expect')}: must be at most 1024`,
    ],
    [`reset: [${Array(33).fill('[a]').join(', ')}]`, `5:12 ${at('reset')}: must be at most 32 steps`],
    [
      'reset: [{ command: [a], environment: { A: { secret: S } } }]',
      `5:57 ${at('reset[0].environment.A.secret')}: there is no secret \`S\``,
    ],
    ['database: own', `5:15 ${at('database')}: must be a block`],
    [database.replace('console: [psql], ', ''), `5:15 ${at('database.console')}: is missing`],
    [database.replace('name: own', 'name: "a b"'), `5:23 ${at('database.name')}: must be at most 63 letters`],
    [database.replace(' ${mark}', ''), `${at('database.mark')}: must contain \${mark}`],
    [database.replace('make ${database}', 'a\\nb'), `${at('database.create[0]')}: must be one line`],
    [
      database.replace('copy ${name}', 'copy ${database}'),
      `${at('database.template[0]')}: \${database} is not known here; there are \${name}, \${template}`,
    ],
    [
      database.replace('drop: [', 'close: ["end ${mark}"], drop: ['),
      `${at('database.close[0]')}: \${mark} is not known here; there are \${name}, \${template}, \${database}`,
    ],
    ['export: { A: "${database}" }', `5:18 ${at('export.A')}: \`\${database}\` needs the key \`database\``],
    [
      'execEnvironment: { A: { database: true } }',
      `5:27 ${at('execEnvironment.A')}: \`{ database: true }\` needs the key \`database\``,
    ],
    ['execEnvironment: { A: { database: x } }', `5:27 ${at('execEnvironment.A')}: must be`],
  ])('is reported at its place: %s', async (line, message) => {
    expect(await mistakesIn(web(line))).toEqual([expect.stringContaining(message)])
  })

  test('is a pool whose copies cannot run side by side', async () => {
    expect(await mistakesIn(web('pool: 2', 'ports: [80, { container: 81, host: 8081 }]'))).toEqual([
      '6:17 servers.web.ports[1]: a server with a `pool` has copies, which cannot share the port 8081 of this machine',
    ])
    expect(await mistakesIn(web('pool: 2', 'mounts: [{ volume: v, to: /v, writable: true }]'))).toEqual([])
    expect(await mistakesIn(web('pool: 2', 'mounts: [{ from: ., to: /v, writable: true }]'))).toEqual([
      '6:14 servers.web.mounts[0]: a server with a `pool` has copies, which would all write to this mount',
    ])
    expect(await mistakesIn(web('pool: 2', 'ready: [{ exit: 0 }]'))).toEqual([
      '5:11 servers.web.pool: cannot go with an `exit` check: a server that has ended cannot be lent',
    ])
  })

  test('is no fixed port where leases are databases of one server', async () => {
    const port = 'ports: [{ container: 5432, host: 5432 }]'
    expect(await mistakesIn(web('pool: 2', 'isolation: database', database, port))).toEqual([])
  })
})
