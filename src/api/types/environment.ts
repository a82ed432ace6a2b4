import type { Endpoint } from '../../model/running.ts'
import type { SessionOptions } from './options.ts'

/** Options of `environment` and `environmentText`. */
export interface EnvironmentOptions extends SessionOptions {
  /** Whether the result has the variables by which clients trust the certificates of the fleet. Default: true. */
  readonly trust?: boolean | undefined
}

/** How programs read variables: env(1), a `.env` file, JSON, a POSIX shell, or the file that GITHUB_ENV names. */
export type EnvironmentFormat = 'env' | 'dotenv' | 'json' | 'shell' | 'github'

/** Result of `hosts`: the names of a session's servers. */
export interface SessionHosts {
  readonly session: string
  /** Lines for /etc/hosts. */
  readonly hosts: readonly HostsEntry[]
  readonly servers: Readonly<Record<string, NamedServer>>
}

/** A line for /etc/hosts. */
export interface HostsEntry {
  readonly address: string
  readonly names: readonly string[]
}

/** A server with its names and addresses. */
export interface NamedServer {
  /** `<server>.<domain>`, followed by its aliases. */
  readonly names: readonly string[]
  /** Its own address, where its real ports answer; null if this machine cannot reach it there. */
  readonly address: string | null
  /** Published ports, each by `<port>/<protocol>`. */
  readonly endpoints: Readonly<Record<string, Endpoint>>
}
