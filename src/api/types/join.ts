import type { SessionOptions } from './options.ts'

export type JoinOptions = Omit<SessionOptions, 'session'>
