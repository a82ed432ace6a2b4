import type { AuthorityRecord } from './certificate.ts'
import type { OwnValue, Port, ReadyCheck } from './fleet.ts'

/**
 * What the engine stores about a session: everything that later calls need, and that may change without touching a
 * container. Only `id` never changes; it is the value of the label `dev.testfleet.session` on all that the session owns.
 */
export interface SessionRecord {
  /** Eight hexadecimal digits, chosen at random. */
  readonly id: string
  readonly name: string
  readonly fleet: string
  readonly domain: string
  /** Real path of the fleet file on `machine`; undefined for a fleet that a program gave as an object. */
  readonly file: string | undefined
  /** Whether a call in the folder of `file` means this session when it names none. */
  readonly isDefault: boolean
  /** user@host of the one who started it. */
  readonly owner: string
  readonly machine: Machine
  /** In milliseconds since 1970, as every time here. */
  readonly createdAtMs: number
  readonly lifetime: Lifetime
  readonly change: Change | undefined
  /** By the server's name; as the last change that succeeded left them. */
  readonly servers: Readonly<Record<string, ServerRecord>>
}

/** What ends a session. */
export type Lifetime =
  /** Only `down` does. Those that have joined it only keep `down` away. */
  | { readonly kind: 'lasting'; readonly holders?: readonly Holder[] | undefined }
  /** Its time does: the keeper then removes it. */
  | {
      readonly kind: 'until'
      readonly untilMs: number
      readonly keeper: Keeper | undefined
      readonly holders?: readonly Holder[] | undefined
    }
  /** The end of the last process that holds it does. */
  | { readonly kind: 'held'; readonly holders: readonly Holder[]; readonly keeper: Keeper | undefined }

/** A call that changes the session. All that it creates carries `id` as the label `dev.testfleet.change`. */
export interface Change {
  readonly id: string
  readonly by: Holder
  readonly keeper: Keeper | undefined
  /** Whether it begins the session, which then goes with it when it is undone. */
  readonly isFirst: boolean
  /** `making` is undone when the call fails or dies; in `settling` only the removal of what was replaced is left. */
  readonly stage: 'making' | 'settling'
  /** Servers that this change stops, and whose containers it keeps until it has succeeded. */
  readonly replaced: readonly ReplacedServer[]
  /** Servers that this change starts: until it has succeeded, their containers are those that carry its id. */
  readonly starting: Readonly<Record<string, ServerSpec>>
}

export interface ReplacedServer {
  readonly server: string
  readonly container: string
  /** Whether it ran, so that undoing the change starts it again. */
  readonly ran: boolean
}

export interface ServerRecord extends ServerSpec {
  readonly container: string
  /** The values of its secrets, for those who have the key; undefined where they can only be read from the container. */
  readonly sealed?: string | undefined
}

/** What is known of a server besides its container. A change of this alone replaces no container. */
export interface ServerSpec {
  readonly hostname: string
  readonly aliases: readonly string[]
  readonly dependsOn: readonly string[]
  readonly ports: readonly Port[]
  readonly ready: readonly ReadyCheck[]
  readonly readyTimeoutMs: number
  readonly export: Readonly<Record<string, string>>
  /** Variables of what `exec` runs in it; undefined for none. */
  readonly execEnvironment?: Readonly<Record<string, OwnValue>> | undefined
  readonly secrets: readonly string[]
  /** Salted digest of the values that it was given. Left out where nothing is started, or for a server without secrets. */
  readonly secretDigest?: string | undefined
  /** What its read-only mounts held when it was started, by path from the fleet's folder. */
  readonly mountDigests?: Readonly<Record<string, string>> | undefined
  /** The fleet's certificate authority, of a fleet that has one. */
  readonly authority: AuthorityRecord | undefined
}

export interface Holder {
  readonly machine: Machine
  readonly process: ProcessIdentity
  /** Where it is told that the session is taken down; left out when it does not listen. */
  readonly socket?: string | undefined
}

/** The process that cleans up when those it watches are gone. */
export interface Keeper extends Holder {
  /** Where others join; empty when they cannot. */
  readonly socket: string
}

/** A machine between two starts, as far as processes are concerned: a pid means something only there. */
export interface Machine {
  readonly name: string
  /** Tells it from another machine of that name; empty where the system does not say. */
  readonly id: string
  /** New with every start of the system; empty where the system does not say. */
  readonly boot: string
  /** Containers number their processes on their own; empty where the system does not say. */
  readonly pidSpace: string
  /** Id of the container on the session's engine that this is; left out for what is none. */
  readonly container?: string | undefined
}

/** A process, and not a later one of the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; equal for equal processes. Empty where the system does not say. */
  readonly startedAt: string
}
