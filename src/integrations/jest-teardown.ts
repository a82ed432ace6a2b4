import { globalTeardown } from './jest-setup.ts'

export { globalTeardown as default }
