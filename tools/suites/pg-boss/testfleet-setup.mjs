import { globalFleet } from 'testfleet/vitest'

export default globalFleet('./testfleet.yaml')
