// Its own configuration is for Vite+, whose tests are those of Vitest.
export default {
  resolve: { alias: { 'vite-plus/test': 'vitest' } },
  test: {
    globalSetup: './testfleet-setup.mjs',
    include: ['tests/**/*.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 90_000,
  },
}
