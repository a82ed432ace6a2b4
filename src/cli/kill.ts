import { runControl, signalOption } from './control.ts'

export const run = runControl((call) => ({ verb: 'kill', signal: signalOption(call) }))
