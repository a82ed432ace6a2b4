import { defineConfig } from '@playwright/test'

export default defineConfig({
  // In this clone, testfleet is not in node_modules, where Playwright compiles nothing.
  build: { external: ['**/dist/**'] },
  use: {
    launchOptions: {
      // Debian's browser, instead of one of Playwright's own.
      executablePath: '/usr/bin/chromium',
      // Chromium refuses to run as root with its sandbox.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
})
