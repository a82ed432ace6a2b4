import { runControl, waits } from './control.ts'

export const run = runControl((call) => ({ verb: 'resume', waits: waits(call) }))
