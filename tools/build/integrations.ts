/** Integrations with test runners: files of src/integrations, each imported as `testfleet/<name>`. */
export const integrations = ['vitest', 'node-test', 'mocha'] as const

/** The runners' own packages, which the user's project has. */
export const runners: readonly RegExp[] = [/^vitest(?:\/|$)/]
