import type { Endpoint } from '../../model/running.ts'
import type { SessionOptions } from './options.ts'

export interface EnvironmentOptions extends SessionOptions {
  /** Whether it has the variables by which clients trust the certificates of the fleet. Default: true. */
  readonly trust?: boolean | undefined
}

/** How programs read variables: env(1), a `.env` file, JSON, a POSIX shell, or the file that GITHUB_ENV names. */
export type EnvironmentFormat = 'env' | 'dotenv' | 'json' | 'shell' | 'github'

/** The names of a session's servers. */
export interface SessionHosts {
  readonly session: string
  /** Lines for /etc/hosts. */
  readonly hosts: readonly HostsEntry[]
  readonly servers: Readonly<Record<string, NamedServer>>
}

export interface HostsEntry {
  readonly address: string
  readonly names: readonly string[]
}

export interface NamedServer {
  /** `<server>.<domain>`, then its aliases. */
  readonly names: readonly string[]
  /** Its own address, where its real ports answer; null if this machine cannot reach it there. */
  readonly address: string | null
  /** By `<port>/<protocol>`. */
  readonly endpoints: Readonly<Record<string, Endpoint>>
}
