import { test as base } from '@playwright/test'
import { expectTypeOf, test } from 'vitest'
import { defineFleet, type LeasedServer, type RunningFleet, type RunningServer } from '../index.ts'
import { useFleet } from './jest.ts'
import { fleetTest } from './playwright.ts'

/** Checked by `npm run check`, which compiles this file. Nothing runs. */

const shop = defineFleet({
  servers: { db: { preset: 'postgresql' }, 'web-1': { image: 'nginx' }, proxy: { image: 'nginx' } },
})
type Shop = typeof shop

test('the fleet of a file of Jest is typed from the fleet', async () => {
  const fleet = useFleet(shop)
  expectTypeOf(fleet.server('db')).toEqualTypeOf<RunningServer<Shop, 'db'>>()
  expectTypeOf(fleet.running).toEqualTypeOf<RunningFleet<Shop>>()
  expectTypeOf(fleet.exports.DATABASE_URL).toEqualTypeOf<string>()
  expectTypeOf(await fleet.lease('web-1')).toEqualTypeOf<LeasedServer<Shop, 'web-1'>>()
  // @ts-expect-error: no such server
  fleet.server('cache')
  expectTypeOf(useFleet(shop, { per: 'test' }).server('db')).toEqualTypeOf<LeasedServer<Shop, 'db'>>()
  // @ts-expect-error: a word of four
  useFleet(shop, { per: 'suite' })
  expectTypeOf(useFleet<Shop>('./testfleet.yaml').server('db').name).toEqualTypeOf<'db'>()
})

test('the test of Playwright has a fixture for each server, typed from the fleet', () => {
  fleetTest(base, shop)('a test', async ({ page, db, fleet, lease }) => {
    await page.goto('/')
    expectTypeOf(db).toEqualTypeOf<RunningServer<Shop, 'db'>>()
    expectTypeOf(fleet).toEqualTypeOf<RunningFleet<Shop>>()
    expectTypeOf(await lease('db')).toEqualTypeOf<LeasedServer<Shop, 'db'>>()
  })
  fleetTest(base, shop, { per: 'test' })('a test', ({ db, proxy }) => {
    expectTypeOf(db).toEqualTypeOf<LeasedServer<Shop, 'db'>>()
    // Playwright's own option of that name.
    expectTypeOf(proxy?.server).toEqualTypeOf<string | undefined>()
  })
  // @ts-expect-error: no such server
  fleetTest(base, shop)('a test', ({ cache }) => cache)
  // @ts-expect-error: no such server
  fleetTest(base, shop, { baseURL: 'cache' })
  fleetTest(base, shop, { baseURL: 'db:5432' })
  // @ts-expect-error: Playwright has no fixtures for a file
  fleetTest(base, shop, { per: 'file' })
  fleetTest(base)('a test', ({ fleet }) => expectTypeOf(fleet).toEqualTypeOf<RunningFleet>())
})
