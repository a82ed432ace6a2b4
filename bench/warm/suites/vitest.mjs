import { fleetTest } from 'testfleet/vitest'
import { test } from 'vitest'
import rows from './rows.cjs'

const { way, work, workInContainer, numbersOf } = rows
const inFleet = fleetTest('./testfleet.yaml')
for (const number of numbersOf(import.meta.filename)) {
  if (way === 'container') test(`test ${number}`, () => workInContainer(number))
  else if (way === 'shared') inFleet(`test ${number}`, ({ fleet }) => work(fleet.exports.DATABASE_URL, number))
  else inFleet(`test ${number}`, async ({ lease }) => work((await lease('db')).exports.DATABASE_URL, number))
}
