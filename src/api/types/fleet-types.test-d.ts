import { describe, expectTypeOf, it } from 'vitest'
import type { FleetFile, ServerDeclaration } from '../../model/fleet-file.ts'
import { defineFleet } from '../define-fleet.ts'
import type { Exports, PortsOf, ProtocolsOf, ServerNames } from './fleet-types.ts'

/** Checked by `npm run check`, which compiles this file. Nothing runs. */

const shop = defineFleet({
  name: 'shop',
  servers: {
    db: { preset: 'postgresql' },
    mail: { preset: 'mail', options: { tls: true } },
    dns: { image: 'dns', ports: [53, '53/udp', { container: 853 }], export: { DNS: '${host}:${port.53/udp}' } },
    web: {
      build: { packages: ['nginx'] },
      ports: [80, { container: 443, host: 8443 }],
      export: { WEB_URL: 'http://${endpoint.80}' },
    },
    job: { image: 'job', ready: [{ exit: 0 }] },
  },
})
type Shop = typeof shop

describe('names of servers', () => {
  it('are the keys of `servers`', () => {
    expectTypeOf<ServerNames<Shop>>().toEqualTypeOf<'db' | 'mail' | 'dns' | 'web' | 'job'>()
  })

  it('may look like numbers', () => {
    const fleet = defineFleet({ servers: { 1: { image: 'a', ports: [80] }, b: { image: 'b' } } })
    expectTypeOf<ServerNames<typeof fleet>>().toEqualTypeOf<'1' | 'b'>()
    expectTypeOf<PortsOf<typeof fleet, '1'>>().toEqualTypeOf<80>()
  })

  it('are strings in a fleet that is not a literal', () => {
    expectTypeOf<ServerNames<FleetFile>>().toEqualTypeOf<string>()
    expectTypeOf<ServerNames>().toEqualTypeOf<string>()
  })

  it('are strings when names are computed', () => {
    const servers = Object.fromEntries(['a', 'b'].map((name) => [name, { image: name }]))
    const fleet = defineFleet({ servers })
    expectTypeOf<ServerNames<typeof fleet>>().toEqualTypeOf<string>()
    expectTypeOf<PortsOf<typeof fleet>>().toEqualTypeOf<never>()
  })
})

describe('ports', () => {
  it('are numbers, without protocol and host', () => {
    expectTypeOf<PortsOf<Shop, 'dns'>>().toEqualTypeOf<53 | 853>()
    expectTypeOf<PortsOf<Shop, 'web'>>().toEqualTypeOf<80 | 443>()
  })

  it('of all servers are those of each', () => {
    const fleet = defineFleet({ servers: { a: { image: 'a', ports: [1] }, b: { image: 'b', ports: [2] } } })
    expectTypeOf<PortsOf<typeof fleet>>().toEqualTypeOf<1 | 2>()
  })

  it('do not exist on a server without `ports`', () => {
    expectTypeOf<PortsOf<Shop, 'job'>>().toEqualTypeOf<never>()
  })

  it('are any number for a range', () => {
    const fleet = defineFleet({
      servers: {
        a: { image: 'a', ports: ['30000-30009'] },
        b: { image: 'b', ports: ['1-9/udp'] },
        c: { image: 'c', ports: [{ container: '1-9' }] },
      },
    })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<number>()
    expectTypeOf<PortsOf<typeof fleet, 'b'>>().toEqualTypeOf<number>()
    expectTypeOf<PortsOf<typeof fleet, 'c'>>().toEqualTypeOf<number>()
  })

  it('are any number when the fleet is not a literal', () => {
    expectTypeOf<PortsOf<FleetFile, string>>().toEqualTypeOf<number>()
    const port: number = 80
    const fleet = defineFleet({ servers: { a: { image: 'a', ports: [port] } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<number>()
  })

  it('are any number when a text is not a literal', () => {
    const port: string = '80/udp'
    const fleet = defineFleet({ servers: { a: { image: 'a', ports: [port] } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<number>()
  })

  it('have the protocols that the fleet gives them', () => {
    expectTypeOf<ProtocolsOf<Shop, 'dns', 53>>().toEqualTypeOf<'tcp' | 'udp'>()
    expectTypeOf<ProtocolsOf<Shop, 'dns', 853>>().toEqualTypeOf<'tcp'>()
    const fleet = defineFleet({
      servers: { a: { image: 'a', ports: [{ container: 9, protocol: 'sctp' }, '1-9/udp'] } },
    })
    expectTypeOf<ProtocolsOf<typeof fleet, 'a', 9>>().toEqualTypeOf<'sctp' | 'udp'>()
    expectTypeOf<ProtocolsOf<FleetFile, string, 80>>().toEqualTypeOf<'tcp' | 'udp' | 'sctp'>()
  })
})

describe('ports of a preset', () => {
  it('are known by its name', () => {
    expectTypeOf<PortsOf<Shop, 'db'>>().toEqualTypeOf<5432>()
  })

  it('include those that an option adds', () => {
    const plain = defineFleet({ servers: { mail: { preset: 'mail' } } })
    expectTypeOf<PortsOf<typeof plain, 'mail'>>().toEqualTypeOf<25 | 587 | 143 | 110>()
    expectTypeOf<PortsOf<Shop, 'mail'>>().toEqualTypeOf<25 | 587 | 143 | 110 | 465 | 993 | 995>()
  })

  it('include those that the key `tls` adds', () => {
    const fleet = defineFleet({
      servers: {
        a: { preset: 'nginx', tls: true },
        b: { preset: 'nginx', tls: {} },
        c: { preset: 'nginx', tls: false },
      },
    })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<80 | 443>()
    expectTypeOf<PortsOf<typeof fleet, 'b'>>().toEqualTypeOf<80 | 443>()
    expectTypeOf<PortsOf<typeof fleet, 'c'>>().toEqualTypeOf<80>()
  })

  it('follow the option `tls` rather than the key', () => {
    const fleet = defineFleet({ servers: { a: { preset: 'nginx', options: { tls: false }, tls: true } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<80>()
  })

  it('may be there when an option is not a literal', () => {
    const tls: boolean = false as boolean
    const fleet = defineFleet({ servers: { a: { preset: 'nginx', options: { tls } } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<80 | 443>()
  })

  it('are joined by those of the server', () => {
    const fleet = defineFleet({ servers: { a: { preset: 'redis', ports: [7000, { container: 6379, host: 6379 }] } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<6379 | 7000>()
  })

  it('are gone with `publish: false`', () => {
    const fleet = defineFleet({ servers: { a: { preset: 'rabbitmq', ports: [{ container: 15672, publish: false }] } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<5672>()
  })

  it('are gone with an empty list', () => {
    const fleet = defineFleet({ servers: { a: { preset: 'rabbitmq', ports: [] } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<never>()
  })

  it('are any number for a preset that an option decides', () => {
    const fleet = defineFleet({ servers: { a: { preset: 'firewall', options: { open: 80 } } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<number>()
  })

  it("are any number for a preset of the user's own", () => {
    const fleet = defineFleet({ servers: { a: { preset: './presets/mine' } } })
    expectTypeOf<PortsOf<typeof fleet, 'a'>>().toEqualTypeOf<number>()
  })
})

describe('exports', () => {
  it('of a server are the keys of its `export`', () => {
    expectTypeOf<Exports<Shop, 'web'>>().toEqualTypeOf<{ readonly WEB_URL: string }>()
  })

  it('of a fleet are those of all servers', () => {
    const fleet = defineFleet({
      servers: { a: { image: 'a', export: { A: '1' } }, b: { image: 'b', export: { B: '2' } }, c: { image: 'c' } },
    })
    expectTypeOf<Exports<typeof fleet>>().toEqualTypeOf<{ readonly A: string; readonly B: string }>()
  })

  it('of a preset are known by its name', () => {
    expectTypeOf<Exports<Shop, 'db'>['DATABASE_URL']>().toEqualTypeOf<string>()
    expectTypeOf<keyof Exports<Shop, 'db'>>().toEqualTypeOf<
      'DATABASE_URL' | 'PGHOST' | 'PGPORT' | 'PGUSER' | 'PGPASSWORD' | 'PGDATABASE'
    >()
  })

  it('of a preset are joined by those of the server', () => {
    const fleet = defineFleet({ servers: { a: { preset: 'redis', export: { CACHE: '${endpoint.6379}' } } } })
    expectTypeOf<Exports<typeof fleet>>().toEqualTypeOf<{ readonly REDIS_URL: string; readonly CACHE: string }>()
  })

  it('of a preset follow its options', () => {
    const open = defineFleet({ servers: { a: { preset: 'postgresql', options: { login: false } } } })
    expectTypeOf<'PGPASSWORD' extends keyof Exports<typeof open> ? true : false>().toEqualTypeOf<false>()
    const tls = defineFleet({ servers: { a: { preset: 'redis', tls: true } } })
    expectTypeOf<Exports<typeof tls>>().toEqualTypeOf<{ readonly REDIS_URL: string; readonly REDIS_TLS_URL: string }>()
  })

  it('are optional when an option is not a literal', () => {
    const tls: boolean = false as boolean
    const fleet = defineFleet({ servers: { a: { preset: 'redis', options: { tls } } } })
    expectTypeOf<Exports<typeof fleet>>().toEqualTypeOf<{
      readonly REDIS_URL: string
      readonly REDIS_TLS_URL?: string
    }>()
  })

  it('of a preset are optional when a port is not published', () => {
    const fleet = defineFleet({
      servers: { a: { preset: 'nats', ports: [{ container: 8222, publish: false }], export: { X: 'x' } } },
    })
    expectTypeOf<Exports<typeof fleet>>().toEqualTypeOf<{
      readonly X: string
      readonly NATS_URL?: string
      readonly NATS_MONITORING_URL?: string
    }>()
  })

  it('are strings by any name when the fleet is not a literal', () => {
    expectTypeOf<Exports<FleetFile>>().toEqualTypeOf<{ readonly [x: string]: string }>()
  })

  it("include any name for a preset of the user's own", () => {
    const fleet = defineFleet({ servers: { a: { preset: './mine' }, b: { image: 'b', export: { B: 'b' } } } })
    expectTypeOf<Exports<typeof fleet, 'a'>['WHATEVER']>().toEqualTypeOf<string>()
    expectTypeOf<Exports<typeof fleet>['B']>().toEqualTypeOf<string>()
    expectTypeOf<Exports<typeof fleet, 'b'>>().toEqualTypeOf<{ readonly B: string }>()
  })

  it('of a server without `export` have no names', () => {
    expectTypeOf<keyof Exports<Shop, 'job'>>().toEqualTypeOf<never>()
  })
})

describe('a wrong fleet is an error', () => {
  it('with a name of a server that does not exist', () => {
    // @ts-expect-error: there is no server of that name
    type Wrong = PortsOf<Shop, 'cache'>
    expectTypeOf<Wrong>()
  })

  it('with an unknown key of a server', () => {
    // @ts-expect-error
    defineFleet({ servers: { web: { imagee: 'nginx' } } })
    // @ts-expect-error
    defineFleet({ servers: { web: { image: 'nginx', port: [80] } } })
  })

  it('with an unknown key of the fleet', () => {
    // @ts-expect-error
    defineFleet({ server: { web: { image: 'nginx' } }, servers: {} })
  })

  it('with an unknown key further inside', () => {
    // @ts-expect-error
    defineFleet({ servers: { web: { build: { package: ['nginx'] } } } })
    // @ts-expect-error
    defineFleet({ servers: { web: { image: 'nginx', ports: [{ container: 80, hostt: 80 }] } } })
    // @ts-expect-error
    defineFleet({ servers: { web: { image: 'nginx', ready: [{ http: { port: 80, pathh: '/' } }] } } })
  })

  it('without servers', () => {
    // @ts-expect-error
    defineFleet({ name: 'web' })
  })

  it('with a value of the wrong type', () => {
    // @ts-expect-error: a list, not a line
    defineFleet({ servers: { web: { image: 'nginx', command: 'nginx -g x' } } })
    // @ts-expect-error: a port is a number
    defineFleet({ servers: { web: { image: 'nginx', ports: [true] } } })
    // @ts-expect-error: a known protocol
    defineFleet({ servers: { web: { image: 'nginx', ports: [{ container: 80, protocol: 'icmp' }] } } })
    // @ts-expect-error: a list of names
    defineFleet({ servers: { web: { image: 'nginx', dependsOn: 'db' } } })
  })

  it('with a preset that is not in the catalogue', () => {
    // @ts-expect-error: it is called postgresql
    defineFleet({ servers: { db: { preset: 'postgres' } } })
  })

  it('with an option that the preset does not have', () => {
    // @ts-expect-error: it is called database
    defineFleet({ servers: { db: { preset: 'postgresql', options: { db: 'shop' } } } })
  })

  it('with an option of the wrong type', () => {
    // @ts-expect-error: a number
    defineFleet({ servers: { db: { preset: 'postgresql', options: { maxConnections: 'many' } } } })
    // @ts-expect-error: one of its values
    defineFleet({ servers: { proxy: { preset: 'haproxy', options: { mode: 'udp' } } } })
  })
})

describe('a fleet is accepted', () => {
  it('as const', () => {
    const fleet = {
      servers: {
        web: { image: 'nginx', command: ['nginx', '-g', 'daemon off;'], ports: [80, '53/udp'], ready: [{ tcp: 80 }] },
      },
    } as const
    expectTypeOf(fleet).toExtend<FleetFile>()
    const defined = defineFleet(fleet)
    expectTypeOf<PortsOf<typeof defined, 'web'>>().toEqualTypeOf<80 | 53>()
  })

  it('as const satisfies FleetFile', () => {
    const fleet = {
      servers: { web: { image: 'nginx', build: { copy: [{ content: 'x', to: '/x' }] } } },
    } as const satisfies FleetFile
    expectTypeOf<ServerNames<typeof fleet>>().toEqualTypeOf<'web'>()
  })

  it('when its type is FleetFile', () => {
    const fleet = defineFleet(shop as FleetFile)
    expectTypeOf(fleet).toEqualTypeOf<FleetFile>()
  })

  it('with values that may be undefined', () => {
    const domain = undefined as string | undefined
    defineFleet({ domain, servers: { web: { image: 'nginx', user: domain, export: { A: 'a' } } } })
  })

  it('with keys of the user, which start with x-', () => {
    defineFleet({ 'x-team': 'shop', servers: { web: { image: 'nginx', 'x-owner': ['me'] } } })
  })

  it('with a name of a preset that is not a literal', () => {
    const preset: string = 'redis'
    const fleet = defineFleet({ servers: { cache: { preset, options: { anything: true } } } })
    expectTypeOf<PortsOf<typeof fleet, 'cache'>>().toEqualTypeOf<number>()
  })

  it('with servers that are declared apart', () => {
    const web: ServerDeclaration = { image: 'nginx', ports: [80] }
    const fleet = defineFleet({ servers: { web, db: { preset: 'postgresql' } } })
    expectTypeOf<PortsOf<typeof fleet, 'web'>>().toEqualTypeOf<number>()
    expectTypeOf<PortsOf<typeof fleet, 'db'>>().toEqualTypeOf<5432>()
  })

  it('with the options that a preset has', () => {
    defineFleet({
      servers: {
        db: {
          preset: 'postgresql',
          options: {
            database: 'shop',
            maxConnections: 20,
            extensions: ['pgcrypto'],
            password: { env: 'PW' },
            users: { me: { generate: 20 } },
          },
        },
      },
    })
  })
})
