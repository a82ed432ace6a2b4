import type { LenderOrder } from '../lender/protocol.ts'
import type { NamedServer, SessionReport } from '../model/running.ts'
import type { Holder } from '../model/session.ts'
import type { Standby } from '../model/standby.ts'
import type { VariableSources } from '../report/variables.ts'
import type { StoredRecord } from '../sessions/store.ts'

/** Fleet whose copies are held: a fleet file, or a fleet that a program gave as an object. */
export type StandbySource =
  | {
      readonly kind: 'file'
      /** Absolute, as the caller reaches it: its folder is the fleet's. */
      readonly path: string
      readonly realPath: string
    }
  | { readonly kind: 'object'; readonly value: unknown; readonly folder: string }

/** Engine of a call, as its options name it. */
export interface EngineOptions {
  readonly engine?: string | undefined
  readonly insecureEngine?: boolean | undefined
}

export interface StandbyOrder extends LenderOrder, EngineOptions {
  readonly kind: 'standby'
  readonly source: StandbySource
  /** Undefined: as the fleet file says. */
  readonly settings: Standby | undefined
  /** Version and program of the caller: another one may start servers differently. */
  readonly program: string
}

/** What a caller needs before it knows whether it gets the copy. */
export interface Offer {
  /** Id of the copy's session. */
  readonly copy: string
  readonly session: string
  /** Socket of the copy's keeper. */
  readonly keeper: string
  /** Socket at which its servers are lent. */
  readonly lender: string
  readonly report: SessionReport
  readonly servers: readonly NamedServer[]
  /** Variables of the caller's environment that the fleet depends on. */
  readonly variables: readonly string[]
  readonly sources: SentSources
}

/** Secrets are sent as a list, because JSON has no maps. */
export type SentSources = Omit<VariableSources, 'exports'> & {
  readonly exports: readonly (Omit<VariableSources['exports'][number], 'secrets'> & {
    readonly secrets: readonly (readonly [string, string])[]
  })[]
}

/** What decides whether copies are of use to a caller, besides its variables. */
export interface Caller extends EngineOptions {
  readonly program: string
}

export type StandbyRequest =
  /** Reserves a copy until the connection ends. Its servers are resumed meanwhile. */
  | ({ readonly do: 'open' } & Caller)
  /** Asks for the reserved copy: it is checked whether it is fresh and ready. */
  | {
      readonly do: 'take'
      readonly environment: Readonly<Record<string, string | undefined>>
      readonly holder: Holder
    }
  /** The caller holds the copy's session now. */
  | { readonly do: 'taken' }
  /** Asks which variables the fleet depends on. */
  | { readonly do: 'variables' }
  /** Changes how many copies are held. The lender ends if its copies are of no use to the caller. */
  | ({
      readonly do: 'set'
      readonly settings: Standby
      readonly environment: Readonly<Record<string, string | undefined>>
    } & Caller)
  /** Asks how many copies there are. */
  | { readonly do: 'status' }
  /** Removes all copies, and ends the lender. */
  | { readonly do: 'stop' }

/** `ended`: why the copies are of no use to the caller. Another lender can start at once. */
export type SetAnswer = StandbyStatus | { readonly ended: string }

export type OpenAnswer = { readonly offer: Offer } | { readonly none: string }

export type TakeAnswer =
  | { readonly record: StoredRecord }
  /** `isOnlyThis`: another copy may do. */
  | { readonly refused: string; readonly isOnlyThis: boolean }

export interface StandbyStatus {
  readonly pid: number
  readonly settings: Standby
  /** Names of the sessions that are ready to be taken. */
  readonly ready: readonly string[]
  readonly preparing: number
  /** Memory that the ready copies use, as the engine measures it; undefined when it does not tell. */
  readonly memoryBytes: number | undefined
  readonly isPaused: boolean
  /** Why there are fewer copies than wanted, or why they are not paused. */
  readonly problems: readonly string[]
  /** When the copies end unless one is taken, in milliseconds since 1970. */
  readonly idleUntilMs: number
}
