import type { ServerReport } from '../model/running.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Operate } from './operation.ts'

/**
 * What a running server is made of.
 *
 * @internal
 */
export interface ServerParts {
  readonly name: string
  readonly record: StoredRecord
  /** The reports of the fleet's servers, by name: this server's is kept up to date. */
  readonly reports: Record<string, ServerReport>
  readonly exports: Readonly<Record<string, string>>
  readonly operate: Operate
}

/**
 * What a call that changes a server knows of it afterwards.
 *
 * @internal
 */
export interface Refreshed {
  readonly report: ServerReport
  /** Undefined when the server does not run, because it then has no ports. */
  readonly exports: Readonly<Record<string, string>> | undefined
}
