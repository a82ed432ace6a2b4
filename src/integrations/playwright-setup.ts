import type { FullConfig } from '@playwright/test'
import { globalSetup } from './playwright.ts'

const nearest: (config: FullConfig) => Promise<() => Promise<void>> = globalSetup()

export { nearest as default }
