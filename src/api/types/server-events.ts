import type { SessionOptions } from './options.ts'

/** Options of `serverEvents`. */
export interface ServerEventsOptions extends SessionOptions {
  /**
   * Begins with what has happened since then, as far as the engine remembers it: Docker keeps the last 256 events of all its
   * containers. Default: only what happens from now on.
   */
  readonly since?: Date | undefined
}
