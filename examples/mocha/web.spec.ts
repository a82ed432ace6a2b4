import assert from 'node:assert/strict'
import { fleetTest } from 'testfleet/mocha'
import fleet from './testfleet.ts'

const it = fleetTest(fleet)

it('the server says hello', async ({ web }) => {
  const { host, port } = web.endpoint(80)
  const response = await fetch(`http://${host}:${port}/greeting`)
  assert.equal(await response.text(), 'hello')
})
