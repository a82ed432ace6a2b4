import { describe, expectTypeOf, it } from 'vitest'
import {
  defineFleet,
  type Exports,
  type FleetFile,
  joinFleet,
  type RunningFleet,
  type RunningServer,
  type ServerEndpoint,
  type ServerNames,
  type StrictFleet,
  startFleet,
  Testfleet,
} from '../index.ts'

/** Checked by `npm run check`, which compiles this file. Nothing runs. */

const shop = defineFleet({
  servers: {
    db: { preset: 'postgresql' },
    dns: { image: 'dns', ports: [53, '53/udp', '853'.length], export: { DNS: '${host}' } },
    web: { image: 'nginx', ports: [80], export: { WEB_URL: 'http://${endpoint.80}' } },
    job: { image: 'job' },
  },
})
type Shop = typeof shop

declare const fleet: RunningFleet<Shop>
declare const loose: RunningFleet

describe('a running fleet', () => {
  it('knows its servers by name', () => {
    expectTypeOf(fleet.server('db')).toEqualTypeOf<RunningServer<Shop, 'db'>>()
    expectTypeOf(fleet.server('db').name).toEqualTypeOf<'db'>()
    expectTypeOf(fleet.server).parameter(0).toEqualTypeOf<'db' | 'dns' | 'web' | 'job'>()
  })

  it('has no server of another name', () => {
    // @ts-expect-error
    fleet.server('cache')
    // @ts-expect-error
    fleet.server('Db')
    // @ts-expect-error
    fleet.server('')
    // @ts-expect-error
    fleet.server()
  })

  it('lists servers of any of the names', () => {
    expectTypeOf(fleet.servers).toEqualTypeOf<readonly RunningServer<Shop>[]>()
    expectTypeOf(fleet.servers.map(({ name }) => name)).toEqualTypeOf<('db' | 'dns' | 'web' | 'job')[]>()
  })

  it('knows what its servers export', () => {
    expectTypeOf(fleet.exports).toEqualTypeOf<Exports<Shop>>()
    expectTypeOf(fleet.exports.DATABASE_URL).toEqualTypeOf<string>()
    expectTypeOf(fleet.exports.WEB_URL).toEqualTypeOf<string>()
  })

  it('has no other exports', () => {
    // @ts-expect-error
    fleet.exports.DATABASE_URI
    // @ts-expect-error: read-only
    fleet.exports.WEB_URL = ''
  })

  it('is disposed of with `await using`', () => {
    expectTypeOf(fleet).toExtend<AsyncDisposable>()
    // @ts-expect-error: not with `using`
    expectTypeOf(fleet).toExtend<Disposable>()
  })

  it('is accepted where any running fleet is', () => {
    expectTypeOf(fleet).toExtend<RunningFleet>()
    expectTypeOf(fleet.server('db')).toExtend<RunningServer>()
  })
})

describe('a running server', () => {
  it('has an endpoint for each port of the fleet file', () => {
    expectTypeOf(fleet.server('db').endpoint(5432)).toEqualTypeOf<ServerEndpoint>()
    expectTypeOf(fleet.server('web').endpoint(80)).toEqualTypeOf<ServerEndpoint>()
    expectTypeOf(fleet.server('web').endpoint()).toEqualTypeOf<ServerEndpoint>()
  })

  it('has no endpoint for another port', () => {
    // @ts-expect-error
    fleet.server('db').endpoint(3306)
    // @ts-expect-error
    fleet.server('web').endpoint('80')
    // @ts-expect-error: it has no ports
    fleet.server('job').endpoint(80)
  })

  it('has an endpoint for each protocol of a port', () => {
    fleet.server('dns').endpoint(53, 'udp')
    fleet.server('dns').endpoint(53, 'tcp')
    fleet.server('web').endpoint(80, 'tcp')
    // @ts-expect-error
    fleet.server('web').endpoint(80, 'udp')
    // @ts-expect-error
    fleet.server('web').endpoint(80, 'http')
  })

  it('knows what it exports', () => {
    expectTypeOf(fleet.server('web').exports).toEqualTypeOf<{ readonly WEB_URL: string }>()
    // @ts-expect-error: that is of db
    fleet.server('web').exports.DATABASE_URL
  })

  it('of several names has the ports of all of them', () => {
    const name = 'db' as 'db' | 'web'
    fleet.server(name).endpoint(5432)
    fleet.server(name).endpoint(80)
    // @ts-expect-error
    fleet.server(name).endpoint(53)
  })

  it('runs commands that are lists of arguments', () => {
    expectTypeOf(fleet.server('db').exec(['psql', '-c', 'select 1'])).resolves.toHaveProperty('exitCode')
    // @ts-expect-error: not a line
    void fleet.server('db').exec('psql -c "select 1"')
  })
})

describe('startFleet', () => {
  it('remembers the type of a fleet that is written there', async () => {
    const running = await startFleet({ servers: { web: { image: 'nginx', ports: [80] } } })
    running.server('web').endpoint(80)
    // @ts-expect-error
    running.server('web').endpoint(81)
    // @ts-expect-error
    running.server('db')
  })

  it('remembers the type of a fleet that is defined before', () => {
    expectTypeOf(startFleet(shop)).resolves.toEqualTypeOf<RunningFleet<Shop>>()
  })

  it('takes a fleet that is written as const', async () => {
    const written = { servers: { web: { image: 'nginx', ports: [80], command: ['nginx'] } } } as const
    const running = await startFleet(written)
    running.server('web').endpoint(80)
    // @ts-expect-error
    running.server('db')
  })

  it('knows names, but not ports, of a fleet that is a plain variable', async () => {
    const written = { servers: { web: { image: 'nginx', ports: [80] } } }
    const running = await startFleet(written)
    running.server('web').endpoint(81)
    // @ts-expect-error
    running.server('db')
  })

  it('finds mistakes in a fleet that is written there', () => {
    // @ts-expect-error: no such key
    void startFleet({ servers: { web: { image: 'nginx', port: 80 } } })
    // @ts-expect-error: no such preset
    void startFleet({ servers: { web: { preset: 'ngnix' } } })
    // @ts-expect-error: not a fleet
    void startFleet(80)
  })

  it('starts only servers of the fleet', () => {
    void startFleet(shop, { servers: ['db', 'web'] })
    // @ts-expect-error
    void startFleet(shop, { servers: ['cache'] })
    // @ts-expect-error: a list
    void startFleet(shop, { servers: 'db' })
  })

  it('has only options that exist', () => {
    // @ts-expect-error
    void startFleet(shop, { server: ['db'] })
    // @ts-expect-error: a number
    void startFleet(shop, { timeoutMs: '30s' })
    // @ts-expect-error: free or fixed
    void startFleet(shop, { bind: 'random' })
  })

  it('knows a fleet by its path as any fleet', async () => {
    const running = await startFleet('./testfleet.yaml', { servers: ['db'] })
    expectTypeOf(running).toEqualTypeOf<RunningFleet>()
    expectTypeOf(await startFleet()).toEqualTypeOf<RunningFleet>()
  })

  it('knows a fleet by its path when its type is given', async () => {
    const running = await startFleet<Shop>('./testfleet.yaml', { servers: ['db'] })
    expectTypeOf(running).toEqualTypeOf<RunningFleet<Shop>>()
    expectTypeOf(await startFleet<Shop>()).toEqualTypeOf<RunningFleet<Shop>>()
  })

  it('takes a path or a fleet', async () => {
    const source = './testfleet.yaml' as string | FleetFile
    expectTypeOf(await startFleet(source)).toEqualTypeOf<RunningFleet>()
  })

  it('can be wrapped', () => {
    function start<const F extends FleetFile>(source: F & StrictFleet<F>): Promise<RunningFleet<F>> {
      return startFleet<F>(source)
    }
    expectTypeOf(start({ servers: { web: { image: 'nginx' } } })).resolves.toHaveProperty('exports')
    // @ts-expect-error
    void start({ servers: { web: { imagee: 'nginx' } } })
  })
})

describe('a fleet that is known by its path', () => {
  it('has servers, ports and exports of any name', () => {
    expectTypeOf<ServerNames>().toEqualTypeOf<string>()
    expectTypeOf(loose.server('anything').endpoint(4711, 'sctp')).toEqualTypeOf<ServerEndpoint>()
    expectTypeOf(loose.exports).toEqualTypeOf<{ readonly [name: string]: string }>()
    expectTypeOf(loose.server('anything').exports).toEqualTypeOf<{ readonly [name: string]: string }>()
  })

  it('still has ports that are numbers', () => {
    // @ts-expect-error
    loose.server('anything').endpoint('80')
    // @ts-expect-error
    loose.server(1)
  })
})

describe('a client', () => {
  const client = new Testfleet()

  it('starts fleets that are typed', () => {
    expectTypeOf(client.start(shop)).resolves.toEqualTypeOf<RunningFleet<Shop>>()
    expectTypeOf(client.up(shop)).resolves.toEqualTypeOf<RunningFleet<Shop>>()
    expectTypeOf(client.up()).resolves.toEqualTypeOf<RunningFleet>()
    // @ts-expect-error
    void client.up(shop, { servers: ['cache'] })
    // @ts-expect-error
    void client.start({ servers: { web: { imagee: 'nginx' } } })
  })

  it('joins a fleet as the type that is given', () => {
    expectTypeOf(client.join<Shop>()).resolves.toEqualTypeOf<RunningFleet<Shop>>()
    expectTypeOf(joinFleet<Shop>('shop')).resolves.toEqualTypeOf<RunningFleet<Shop>>()
    expectTypeOf(joinFleet()).resolves.toEqualTypeOf<RunningFleet>()
    // @ts-expect-error: a name
    void joinFleet(shop)
  })

  it('takes servers of a fleet in every list', async () => {
    const names: readonly ServerNames<Shop>[] = ['db']
    await startFleet(shop, { servers: names })
  })
})
