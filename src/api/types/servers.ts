import type { CallOptions, TimedOptions } from './options.ts'

/** Where this process reaches a port of a server, with protocol and URL. */
export interface ServerEndpoint {
  readonly host: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /**
   * Such as `postgresql://127.0.0.1:49153`: without a user, a password or a path. The scheme is known from the server's
   * ready check or from the port's number; otherwise it is the protocol, as in `tcp://127.0.0.1:49153`.
   */
  readonly url: string
}

/** Options of calls that start a server. */
export interface StartServerOptions extends TimedOptions {
  /** Whether to wait until the server is ready. Default: true. */
  readonly wait?: boolean | undefined
}

/** Options of calls that disturb others who use the session. */
export interface ForceOptions extends TimedOptions {
  /** Does it even if other processes hold the session. Default: false, which fails with SESSION_BUSY. */
  readonly force?: boolean | undefined
}

/** Options of `stop`. */
export interface StopServerOptions extends ForceOptions {
  /** How long the server has to obey its stop signal, in milliseconds. Default: its `stopGracePeriod`, or else 10 s. */
  readonly graceMs?: number | undefined
}

/** Options of `restart`. */
export interface RestartServerOptions extends StartServerOptions, StopServerOptions {}

/** Options of copies into a server and out of it. */
export interface CopyOptions extends CallOptions {
  /** Copies what a link leads to, where the source itself is a link. Default: false. */
  readonly followLink?: boolean | undefined
  /** Keeps the numbers of owners. Default: copies are root's in a server, and the caller's on this machine. */
  readonly keepOwners?: boolean | undefined
}

/** What was copied: links count as files. */
export interface CopyResult {
  readonly files: number
  readonly bytes: number
}

/** Options of `waitUntilReady`. */
export interface WaitOptions extends CallOptions {
  /** Time limit in milliseconds, then READY_TIMEOUT. 0 and Infinity mean no limit. Default: `readyTimeout` of the server. */
  readonly timeoutMs?: number | undefined
}
