/** Integrations with test runners: files of src/integrations, each imported as `testfleet/<name>`. */
export const integrations: readonly string[] = [
  'vitest',
  'node-test',
  'mocha',
  'jest',
  'jest-setup',
  'jest-teardown',
  'playwright',
  'playwright-setup',
]

/** Those that are bundled separately, because Playwright cannot load what `require` loads. */
export const ofPlaywright: readonly string[] = ['playwright', 'playwright-setup']

/** Packages that are imported by their name: those of the runners, which the user's project has, and this one. */
export const runners: readonly RegExp[] = [/^vitest(?:\/|$)/, /^@playwright\/test$/, /^testfleet$/]
