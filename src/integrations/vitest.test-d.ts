import { describe, expectTypeOf, inject, it } from 'vitest'
import { defineFleet, type FleetFile, type LeasedServer, type RunningFleet, type RunningServer } from '../index.ts'
import { fleetTest, globalFleet, type ProvidedFleet } from './vitest.ts'

/** Checked by `npm run check`, which compiles this file. Nothing runs. */

const shop = defineFleet({
  servers: { db: { preset: 'postgresql' }, 'web-1': { image: 'nginx' }, task: { image: 'nginx' } },
})
type Shop = typeof shop

describe('the test of a fleet', () => {
  it('has a fixture for each server, typed from the fleet', () => {
    fleetTest(shop)('a test', async ({ db, fleet, lease }) => {
      expectTypeOf(db).toEqualTypeOf<RunningServer<Shop, 'db'>>()
      expectTypeOf(db.exports.DATABASE_URL).toEqualTypeOf<string>()
      expectTypeOf(fleet).toEqualTypeOf<RunningFleet<Shop>>()
      expectTypeOf(await lease('db')).toEqualTypeOf<LeasedServer<Shop, 'db'>>()
      // @ts-expect-error: no such server
      await lease('cache')
    })
  })

  it('has no other fixtures, and keeps those of Vitest', () => {
    // @ts-expect-error: no such server
    fleetTest(shop)('a test', ({ cache }) => cache)
    // @ts-expect-error: Vitest could not read the name
    fleetTest(shop)('a test', ({ 'web-1': web }) => web)
    fleetTest(shop)('a test', ({ task }) => expectTypeOf(task.name).toEqualTypeOf<string>())
  })

  it('has leases with `per: test`', () => {
    fleetTest(shop, { per: 'test' })('a test', ({ db }) => {
      expectTypeOf(db).toEqualTypeOf<LeasedServer<Shop, 'db'>>()
    })
    // @ts-expect-error: a word of four
    fleetTest(shop, { per: 'suite' })
  })

  it('gives servers to hooks of a file, unless they are leases', () => {
    fleetTest(shop).beforeAll(({ db }) => expectTypeOf(db).toEqualTypeOf<RunningServer<Shop, 'db'>>())
    // @ts-expect-error: a lease ends with its test
    fleetTest(shop, { per: 'test' }).beforeAll(({ db }) => db)
    // @ts-expect-error: as do those of `lease`
    fleetTest(shop).beforeAll(({ lease }) => lease)
  })

  it('can be extended', () => {
    const test = fleetTest(shop).extend('url', ({ db }) => db.exports.DATABASE_URL)
    test('a test', ({ url }) => expectTypeOf(url).toEqualTypeOf<string>())
  })

  it('knows only the fleet when that is given by its path', () => {
    fleetTest('./testfleet.yaml')('a test', ({ fleet }) => expectTypeOf(fleet).toEqualTypeOf<RunningFleet<FleetFile>>())
    fleetTest<Shop>()('a test', ({ fleet }) => expectTypeOf(fleet.server('db').name).toEqualTypeOf<'db'>())
    // @ts-expect-error: what the file has is not known before it is read
    fleetTest<Shop>('./testfleet.yaml')('a test', ({ db }) => db)
  })
})

describe('the global setup', () => {
  it('provides the fleet', () => {
    expectTypeOf(inject('testfleet')).toEqualTypeOf<ProvidedFleet>()
    expectTypeOf(globalFleet(shop)).returns.resolves.toEqualTypeOf<() => Promise<void>>()
    // @ts-expect-error: no such server
    globalFleet(shop, { servers: ['cache'] })
  })
})
