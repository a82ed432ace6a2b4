import { runControl } from './control.ts'

export const run = runControl(() => ({ verb: 'pause' }))
