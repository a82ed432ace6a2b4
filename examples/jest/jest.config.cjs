module.exports = {
  globalSetup: 'testfleet/jest/setup',
  globalTeardown: 'testfleet/jest/teardown',
}
