import type { Readable } from 'node:stream'
import type { TestfleetError } from '../../model/failures.ts'
import type { CallOptions } from '../engine.ts'
import type { Refusal } from './refusal.ts'
import type { Call } from './transport.ts'

export interface ApiCall extends CallOptions {
  readonly method: Call['method']
  /** Without a version; its variable parts encoded by `path`. */
  readonly path: string
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>> | undefined
  readonly json?: unknown
  readonly body?: { readonly type: string; readonly content: Uint8Array | Readable } | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Sent without a version: only `/version` asks for it. */
  readonly isUnversioned?: boolean
  /** Whether a POST or PUT that was made twice leaves the engine as one would. GET and DELETE do by nature. */
  readonly isRepeatable?: boolean
  /** Whether the deadline of a stream covers all of it, and not only its beginning. */
  readonly isWhole?: boolean
  /** Whether a refusal is no failure: `done` resolves with its status. */
  isFine?(refusal: Refusal): boolean
  /** The failure for a refusal that means something special to the verb. */
  refine?(refusal: Refusal): TestfleetError | undefined
}

export type QueryValue = string | number | boolean | undefined
