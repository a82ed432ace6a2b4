import { runControl, waits } from './control.ts'

export const run = runControl((call) => ({ verb: 'start', waits: waits(call) }))
