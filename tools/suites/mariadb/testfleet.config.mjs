export default { test: { globalSetup: './testfleet-setup.mjs' } }
