import { graceOption, runControl } from './control.ts'

export const run = runControl((call) => ({ verb: 'stop', graceMs: graceOption(call) }))
