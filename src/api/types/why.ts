import type { SessionOptions } from './options.ts'

/** Options of `why`. Without a session, it is about the last run of the fleet file. */
export interface WhyOptions extends SessionOptions {}
