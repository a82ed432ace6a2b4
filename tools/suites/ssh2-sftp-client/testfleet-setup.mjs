import { globalFleet } from 'testfleet/mocha'

export const { mochaGlobalSetup, mochaGlobalTeardown } = await globalFleet('./testfleet.yaml')
