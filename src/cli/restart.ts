import { graceOption, runControl, waits } from './control.ts'

export const run = runControl((call) => ({ verb: 'restart', waits: waits(call), graceMs: graceOption(call) }))
