import { defineFleet } from 'testfleet'

export default defineFleet({
  name: 'playwright-sample',
  servers: { web: { preset: 'apache2', options: { seed: './site' } } },
})
