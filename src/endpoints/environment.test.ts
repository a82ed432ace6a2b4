import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { propertyRuns } from '../../tests/support/property-runs.ts'
import { findReservation } from '../formats/reserved-variables.ts'
import type { SessionReport } from '../model/running.ts'
import { giveEnvironment, socketVariables, toEnvironment, toExports, toServerEnvironment } from './environment.ts'

const report: SessionReport = {
  session: 'web-1a2b3c',
  fleet: 'web',
  domain: 'web.test',
  servers: {
    'my-db': {
      state: 'ready',
      container: 'c',
      image: 'i',
      packages: {},
      hostname: 'my-db.web.test',
      ip: '172.20.0.2',
      endpoints: { '5432/tcp': { host: '127.0.0.1', port: 49153 }, '53/udp': { host: '127.0.0.1', port: 49154 } },
    },
  },
}

test('toServerEnvironment names one server only, and what it exports under its plain name', () => {
  const [server] = Object.values(report.servers)
  if (server === undefined) throw new Error('no server')
  const two = { ...report, servers: { ...report.servers, 'my-db-2': server } }
  const sources = Object.keys(two.servers).map((name) => {
    return { name, spec: { export: { DB_URL: `db://${name}` }, lending: undefined }, secrets: new Map() }
  })
  expect(toServerEnvironment('my-db', two, sources)).toEqual({
    TESTFLEET_MY_DB_HOSTNAME: 'my-db.web.test',
    TESTFLEET_MY_DB_HOST: '127.0.0.1',
    TESTFLEET_MY_DB_PORT: '49153',
    TESTFLEET_MY_DB_PORT_5432: '49153',
    TESTFLEET_MY_DB_PORT_53: '49154',
    DB_URL: 'db://my-db',
  })
  expect(toServerEnvironment('nobody', two, sources)).toEqual({})
})

describe('toEnvironment', () => {
  test('names every server by its first port, and every port by its number', () => {
    expect(toEnvironment(report, [])).toEqual({
      TESTFLEET_SESSION: 'web-1a2b3c',
      TESTFLEET_MY_DB_HOSTNAME: 'my-db.web.test',
      TESTFLEET_MY_DB_HOST: '127.0.0.1',
      TESTFLEET_MY_DB_PORT: '49153',
      TESTFLEET_MY_DB_PORT_5432: '49153',
      TESTFLEET_MY_DB_PORT_53: '49154',
    })
  })

  test('names a port of several protocols by each of them, and without a protocol the one of tcp', () => {
    const endpoints = {
      '53/udp': { host: '::1', port: 2 },
      '53/tcp': { host: '::1', port: 1 },
      '88/sctp': { host: '::1', port: 3 },
    }
    const one = { ...Object.values(report.servers)[0], endpoints } as SessionReport['servers'][string]
    expect(toEnvironment({ ...report, servers: { d: one } }, [])).toMatchObject({
      TESTFLEET_D_PORT: '2',
      TESTFLEET_D_PORT_53: '1',
      TESTFLEET_D_PORT_53_TCP: '1',
      TESTFLEET_D_PORT_53_UDP: '2',
      TESTFLEET_D_PORT_88: '3',
    })
    expect(toEnvironment({ ...report, servers: { d: one } }, [])).not.toHaveProperty('TESTFLEET_D_PORT_88_SCTP')
  })

  test.each([
    ['${endpoint.5432}', '127.0.0.1:49153', 'my-db.web.test:5432'],
    ['ftp://${endpoint.53/udp}/', 'ftp://127.0.0.1:49154/', 'ftp://my-db.web.test:53/'],
    ['${endpoint.host.53} ${endpoint.port.53}', '127.0.0.1 49154', 'my-db.web.test 53'],
    ['${endpoint.99/sctp}', '[::1]:49155', 'my-db.web.test:99'],
    ['${endpoint.host.99}', '::1', 'my-db.web.test'],
    ['${host}:${port.5432}', '127.0.0.1:49153', '127.0.0.1:49153'],
  ])('expands %s for a published address and for a name', (template, published, named) => {
    const [server] = Object.values(report.servers)
    if (server === undefined) throw new Error('no server')
    const endpoints = { ...server.endpoints, '99/sctp': { host: '::1', port: 49155 } }
    const one = { ...report, servers: { 'my-db': { ...server, endpoints } } }
    const source = { name: 'my-db', spec: { export: { URL: template } }, secrets: new Map<string, string>() }
    expect(toEnvironment(one, [source]).URL).toBe(published)
    expect(toEnvironment(one, [source], new Set(['other.web.test', 'my-db'])).URL).toBe(published)
    expect(toEnvironment(one, [source], new Set(['my-db.web.test'])).URL).toBe(named)
  })

  test("expands the name of the server's database", () => {
    const recipe = { mark: '', template: [], create: [], drop: [] }
    const console = { command: [], user: undefined, workingDir: undefined, environment: {}, timeoutMs: 1 }
    const lending = { isolation: 'database', database: { name: 'shop', console, ...recipe } } as const
    const spec = { export: { URL: 'pg://${host}/${database}' }, lending }
    expect(toEnvironment(report, [{ name: 'my-db', spec, secrets: new Map() }]).URL).toBe('pg://127.0.0.1/shop')
  })

  test('expands exports, including secrets', () => {
    const spec = {
      export: { URL: 'postgres://app:${secret.PW}@${host}:${port.5432}/x?h=${hostname}&dns=${port.53/udp}' },
    }
    const source = { name: 'my-db', spec, secrets: new Map([['PW', 'p$1&w']]) }
    expect(toEnvironment(report, [source]).URL).toBe(
      'postgres://app:p%241%26w@127.0.0.1:49153/x?h=my-db.web.test&dns=49154',
    )
  })

  test('percent-encodes a secret in the userinfo of a URL, and nowhere else', () => {
    const password = `p@ss:w/rd#?%'"\\ é\u{1f600}`
    const fill = (template: string): string | undefined => {
      const source = { name: 'my-db', spec: { export: { X: template } }, secrets: new Map([['PW', password]]) }
      return toEnvironment(report, [source]).X
    }
    const url = new URL(fill('redis://default:${secret.PW}@${host}:${port.5432}/0') ?? '')
    expect([decodeURIComponent(url.password), url.host, url.pathname]).toEqual([password, '127.0.0.1:49153', '/0'])
    expect(new URL(fill('amqp://${secret.PW}@${host}') ?? '').host).toBe('127.0.0.1')
    expect(fill('${secret.PW}')).toBe(password)
    expect(fill('app:${secret.PW}@${host}')).toBe(`app:${password}@127.0.0.1`)
    expect(fill('http://${host}/${secret.PW}@x')).toBe(`http://127.0.0.1/${password}@x`)
    expect(fill('jdbc:mysql://a:${secret.PW}@${host}')).toBe(`jdbc:mysql://a:${encodeURIComponent(password)}@127.0.0.1`)
  })
})

test('the later name wins when two servers export the same variable, and each has a prefixed variable', () => {
  const server = report.servers['my-db']
  if (server === undefined) throw new Error('no server')
  const spec = { export: { URL: '${hostname}', HOST: 'mine' } }
  const exports = ['b-2', 'a'].map((name) => ({ name, spec, secrets: new Map() }))
  const servers = { 'b-2': { ...server, hostname: 'b' }, a: { ...server, hostname: 'a' } }
  expect(toEnvironment({ ...report, servers }, exports)).toMatchObject({
    URL: 'b',
    TESTFLEET_A_URL: 'a',
    TESTFLEET_B_2_URL: 'b',
    // An export cannot replace a server's standard variables.
    TESTFLEET_A_HOST: '127.0.0.1',
  })
})

describe('a record of another program', () => {
  const sources = (exported: Readonly<Record<string, string>>, secrets = new Map<string, string>()) => [
    { name: 'my-db', spec: { export: exported }, secrets },
  ]

  test('sets no variable that changes how programs run, and no invalid name', () => {
    const odd = { PATH: '/evil', Ld_Preload: 'x', 'X;touch F;Y': '1', 'A=B': '1', '': '1', 'A\nB': '1', FINE: 'yes' }
    const names = Object.keys(toEnvironment(report, sources(odd)))
    expect(names.filter((name) => !name.startsWith('TESTFLEET_'))).toEqual(['FINE'])
    const servers = { 'x;touch F;y': Object.values(report.servers)[0] } as SessionReport['servers']
    expect(toEnvironment({ ...report, servers }, [])).toEqual({ TESTFLEET_SESSION: 'web-1a2b3c' })
  })

  test('sets no setting of testfleet, whatever its servers and exports are called', () => {
    const server = report.servers['my-db']
    if (server === undefined) throw new Error('no server')
    const shared = { export: { DIR: '/evil', dir: '/evil', FILE: '/evil' } }
    const names = ['state', 'ca']
    const exports = names.map((name) => ({ name, spec: shared, secrets: new Map() }))
    const servers = Object.fromEntries(names.map((name) => [name, server]))
    const environment = toEnvironment({ ...report, servers }, exports)
    expect(environment).toMatchObject({ DIR: '/evil', TESTFLEET_CA_DIR: '/evil', TESTFLEET_STATE_FILE: '/evil' })
    const settings = /^TESTFLEET_(?:STATE_DIR|CA_FILE)$/i
    expect(Object.keys(environment).filter((name) => settings.test(name))).toEqual([])
  })

  test('is refused if a value contains NUL', () => {
    const nul = sources({ TOKEN: '${secret.T}' }, new Map([['T', 'a\0b']]))
    expect(() => toEnvironment(report, nul)).toThrow(expect.objectContaining({ code: 'SECRET_UNUSABLE' }))
    expect(() => toEnvironment(report, nul)).toThrow('TOKEN')
  })

  const name = fc.oneof(
    fc.constantFrom('PATH', 'Path', 'NODE_OPTIONS', 'LD_PRELOAD', 'http_proxy', 'BASH_ENV', 'TESTFLEET_KEEPER', 'HOME'),
    fc.constantFrom('DATABASE_URL', 'URL', 'HOST', 'DIR', 'FILE', '__proto__', 'constructor'),
    fc.string({ maxLength: 8 }),
  )
  const exported = fc.array(fc.tuple(name, fc.constantFrom('x', '${host}', '${secret.PW}', '${port.5432}')))
  const serverName = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?$/)
  const caller = { PATH: '/usr/bin', HOME: '/home/me', DATABASE_URL: 'mine', TESTFLEET_STATE_DIR: '/state' }

  test("changes only allowed names of the caller's environment", () => {
    fc.assert(
      fc.property(fc.dictionary(serverName, exported, { minKeys: 1, maxKeys: 4 }), (fleet) => {
        const server = report.servers['my-db']
        const servers = Object.fromEntries(Object.keys(fleet).map((one) => [one, server])) as SessionReport['servers']
        const exports = Object.entries(fleet).map(([one, pairs]) => {
          return { name: one, spec: { export: Object.fromEntries(pairs) }, secrets: new Map([['PW', 'p']]) }
        })
        const { variables, replaced } = giveEnvironment(
          { environment: caller, platform: 'linux' },
          toEnvironment({ ...report, servers }, exports),
        )
        const changed = Object.keys({ ...caller, ...variables }).filter(
          (one) => variables[one] !== (caller as Record<string, string>)[one],
        )
        for (const one of changed) {
          expect(one).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/)
          if (!one.startsWith('TESTFLEET_')) expect(findReservation(one)).toBeUndefined()
        }
        expect(variables).toMatchObject({ PATH: '/usr/bin', HOME: '/home/me', TESTFLEET_STATE_DIR: '/state' })
        expect(replaced).toEqual(changed.filter((one) => one === 'DATABASE_URL'))
      }),
      { numRuns: propertyRuns(300) },
    )
  })
})

test('variables of the caller that are replaced by another value are reported', () => {
  const caller = { URL: 'mine', SAME: 'x', EMPTY: '', PATH: '/bin', SSL_CERT_FILE: '/a', TESTFLEET_SESSION: 'outer' }
  const session = { URL: 'its', SAME: 'x', EMPTY: 'y', OTHER: 'z', SSL_CERT_FILE: '/b', TESTFLEET_SESSION: 'inner' }
  const { variables, replaced } = giveEnvironment({ environment: caller, platform: 'linux' }, session)
  expect(variables).toEqual({ ...caller, ...session })
  expect(replaced).toEqual(['URL', 'EMPTY'])
})

test('replaces a variable of the caller whose name differs only in case, on systems that ignore case', () => {
  const environment = { Url: 'mine', Path: 'C:\\', Other: 'x' }
  const given = giveEnvironment({ environment, platform: 'win32' }, { URL: 'its' })
  expect(given).toEqual({ variables: { URL: 'its', Path: 'C:\\', Other: 'x' }, replaced: ['URL'] })
  const onLinux = giveEnvironment({ environment, platform: 'linux' }, { URL: 'its' })
  expect(onLinux).toEqual({ variables: { ...environment, URL: 'its' }, replaced: [] })
})

describe('toExports', () => {
  const other = { ...report.servers['my-db'], hostname: 'other.web.test' } as (typeof report.servers)[string]
  const two = { ...report, servers: { ...report.servers, other } }
  const source = (name: string, exported: Record<string, string>) => ({
    name,
    spec: { export: exported },
    secrets: new Map([['PASSWORD', 'pw']]),
  })

  test('returns the exported variables of each server by name, and no other variables', () => {
    const sources = [
      source('other', { URL: 'http://${endpoint.5432}' }),
      source('my-db', { URL: 'db://u:${secret.PASSWORD}@${host}:${port.5432}', NAME: '${hostname}' }),
    ]
    expect(toExports(two, sources)).toEqual({
      'my-db': { URL: 'db://u:pw@127.0.0.1:49153', NAME: 'my-db.web.test' },
      other: { URL: 'http://127.0.0.1:49153' },
    })
  })

  test('returns nothing for a server without exports, or an unknown server', () => {
    expect(toExports(report, [source('gone', { URL: 'x' })])).toEqual({ 'my-db': {} })
  })

  test('omits names that no fleet file may export', () => {
    expect(toExports(report, [source('my-db', { PATH: '/bin', 'A B': 'x', OK: 'y' })])).toEqual({
      'my-db': { OK: 'y' },
    })
  })
})

test('a session that nobody holds has no keeper for a command, and not the one of another session either', () => {
  expect(socketVariables({ socket: '/run/k.sock', lender: '/run/l.sock' })).toEqual({
    TESTFLEET_KEEPER: '/run/k.sock',
    TESTFLEET_LENDER: '/run/l.sock',
  })
  const own = socketVariables({ socket: '', lender: '/run/l.sock' })
  expect(own).toEqual({ TESTFLEET_LENDER: '/run/l.sock' })
  const caller = { environment: { TESTFLEET_KEEPER: '/run/outer.sock', HOME: '/root' }, platform: 'linux' } as const
  expect(giveEnvironment(caller, own)).toEqual({
    variables: { TESTFLEET_LENDER: '/run/l.sock', HOME: '/root' },
    replaced: [],
  })
})
