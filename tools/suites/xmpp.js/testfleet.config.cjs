module.exports = {
  ...require('./e2e.config.cjs'),
  globalSetup: 'testfleet/jest/setup',
  globalTeardown: 'testfleet/jest/teardown',
}
