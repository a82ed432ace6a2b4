import { defineConfig } from 'vitest/config'

// The first start of a fleet can build images.
export default defineConfig({ test: { testTimeout: 300_000 } })
