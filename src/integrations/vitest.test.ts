import { expect, vi } from 'vitest'
import type { RunningFleet } from '../index.ts'
import { Testfleet } from './library.ts'
import { fleetTest } from './vitest.ts'

vi.spyOn(Testfleet.prototype, 'share').mockImplementation(async () => {
  const server = (name: string): object => ({ name })
  return { session: 'shop', server, leave: async () => {} } as unknown as RunningFleet<never>
})

const test = fleetTest({ name: 'shop', servers: { testfleet: { image: 'nginx' } } })

test('a server can have the name of this program', ({ testfleet, lease }) => {
  expect(testfleet).toEqual({ name: 'testfleet' })
  expect(lease).toBeTypeOf('function')
})
