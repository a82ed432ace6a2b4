import { globalFleet } from 'testfleet/node-test'

export const { globalSetup, globalTeardown } = globalFleet('./testfleet.yaml')
