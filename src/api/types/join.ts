import type { SessionOptions } from './options.ts'

/** Options of `joinFleet()` and of `join` of a client. */
export type JoinOptions = Omit<SessionOptions, 'session'>
