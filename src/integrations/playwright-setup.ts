import type { FullConfig } from '@playwright/test'
import { globalFleet } from './playwright.ts'

const nearest: (config: FullConfig) => Promise<() => Promise<void>> = globalFleet()

export { nearest as default }
