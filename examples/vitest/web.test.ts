import { fleetTest } from 'testfleet/vitest'
import { expect } from 'vitest'
import fleet from './testfleet.ts'

const test = fleetTest(fleet)

test('the server says hello', async ({ web }) => {
  const { host, port } = web.endpoint(80)
  const response = await fetch(`http://${host}:${port}/greeting`)
  expect(await response.text()).toBe('hello')
})
