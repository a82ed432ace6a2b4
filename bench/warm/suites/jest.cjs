const { useFleet } = require('testfleet/jest')
const { way, work, workInContainer, numbersOf } = require('./rows.cjs')

const fleet = way === 'container' ? undefined : useFleet('./testfleet.yaml')
for (const number of numbersOf(__filename)) {
  if (way === 'container') test(`test ${number}`, () => workInContainer(number))
  else if (way === 'shared') test(`test ${number}`, () => work(fleet.exports.DATABASE_URL, number))
  else test(`test ${number}`, async () => work((await fleet.lease('db')).exports.DATABASE_URL, number))
}
