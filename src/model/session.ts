import type { AuthorityRecord } from './certificate.ts'
import type { ExternalAddress, Port, ReadyCheck } from './fleet.ts'
import type { Lending } from './lending.ts'
import type { OwnValue } from './own-value.ts'

/**
 * What the engine stores about a session: everything that later calls need, and that may change without touching a
 * container. Only `id` never changes; it is the value of the label `dev.testfleet.session` on all that the session owns.
 */
export interface SessionRecord {
  /** Eight random hexadecimal digits. */
  readonly id: string
  readonly name: string
  /** Id of the session that this one belongs to and ends with; omitted for one of its own. */
  readonly parent?: string | undefined
  readonly fleet: string
  readonly domain: string
  /** Real path of the fleet file on `machine`, or undefined for a fleet given as an object. */
  readonly file: string | undefined
  /** Whether a call in the folder of `file` means this session when it names none. */
  readonly isDefault: boolean
  /** user@host that started it. */
  readonly owner: string
  readonly machine: Machine
  /** Milliseconds since 1970, as every time here. */
  readonly createdAtMs: number
  readonly lifetime: Lifetime
  /** True for a ready copy of a fleet that a lender holds, and that nobody has used yet. */
  readonly isStandby?: true | undefined
  /** Where its servers are lent. Left out for one that belongs to another session. */
  readonly lender?: Lender | undefined
  readonly change: Change | undefined
  /** By server name, as the last successful change left them. */
  readonly servers: Readonly<Record<string, ServerRecord>>
}

/** What ends a session. */
export type Lifetime =
  /** Only `down` ends it. Processes that have joined it only block `down`. */
  | { readonly kind: 'lasting'; readonly holders?: readonly Holder[] | undefined }
  /** It ends at a time; the keeper then removes it. */
  | {
      readonly kind: 'until'
      readonly untilMs: number
      readonly keeper: Keeper | undefined
      readonly holders?: readonly Holder[] | undefined
    }
  /** It ends when the last process that holds it ends. */
  | { readonly kind: 'held'; readonly holders: readonly Holder[]; readonly keeper: Keeper | undefined }

/** A call that changes the session. Everything that it creates carries `id` as the label `dev.testfleet.change`. */
export interface Change {
  readonly id: string
  readonly by: Holder
  readonly keeper: Keeper | undefined
  /** Whether it creates the session. Undoing the change then removes the session. */
  readonly isFirst: boolean
  /** `making` is undone when the call fails or dies. In `settling`, only the replaced containers are left to remove. */
  readonly stage: 'making' | 'settling'
  /** Servers that this change stops, and whose containers are kept until it has succeeded. */
  readonly replaced: readonly ReplacedServer[]
  /** Servers whose own containers this change starts again. Left out when there are none. */
  readonly resumed?: readonly ResumedServer[] | undefined
  /** Servers that this change starts. Until it has succeeded, their containers are those with its id. */
  readonly starting: Readonly<Record<string, ServerSpec>>
  /** Left out unless its call has died and another one undoes it. */
  readonly undoing?: Undoing | undefined
}

/** A call that undoes a change of a dead one. After `untilMs`, another call may do so. */
export interface Undoing {
  readonly by: Holder
  readonly untilMs: number
}

export interface ReplacedServer {
  readonly server: string
  readonly container: string
  /** Whether it ran, so that undoing the change starts it again. */
  readonly ran: boolean
}

/** A server that a call had stopped or paused, and that a change starts again. */
export interface ResumedServer {
  readonly server: string
  readonly container: string
  readonly wasPaused: boolean
}

export interface ServerRecord extends ServerSpec {
  readonly container: string
  /** Values of its secrets, sealed with the user's key, or undefined if they can only be read from the container. */
  readonly sealed?: string | undefined
  /** Whether a call has stopped or killed it on purpose. Left out once it is started again. */
  readonly isStopped?: true | undefined
}

/** What is known about a server besides its container. A change of this alone replaces no container. */
export interface ServerSpec {
  readonly hostname: string
  readonly aliases: readonly string[]
  readonly dependsOn: readonly string[]
  readonly ports: readonly Port[]
  readonly ready: readonly ReadyCheck[]
  readonly readyTimeoutMs: number
  readonly export: Readonly<Record<string, string>>
  /** Variables for commands that `exec` runs in it; undefined for none. */
  readonly execEnvironment?: Readonly<Record<string, OwnValue>> | undefined
  /** Undefined for a server that is lent as copies of its container and has no pool. */
  readonly lending?: Lending | undefined
  readonly secrets: readonly string[]
  /** Salted digest of its secrets' values. Omitted where nothing is started, or for a server without secrets. */
  readonly secretDigest?: string | undefined
  /** Digests of its read-only mounts when it was started, by path relative to the fleet's folder. */
  readonly mountDigests?: Readonly<Record<string, string>> | undefined
  /** True when its `postStart` commands did not complete: it was kept after they failed. */
  readonly isUnfinished?: true | undefined
  /** The fleet's certificate authority, if the fleet has one. */
  readonly authority: AuthorityRecord | undefined
  /** Salted digest of the variables by which a process finds other servers; left out for none. */
  readonly variablesDigest?: string | undefined
  /** Of an external server. */
  readonly external?: ExternalRecord | undefined
}

/** An external server in a record. Its password is among the sealed secrets. */
export interface ExternalRecord {
  /** Its URL without the password. */
  readonly url: string
  readonly addresses: readonly ExternalAddress[]
  /** Digest of what it was declared as. */
  readonly digest: string
}

export interface Holder {
  readonly machine: Machine
  readonly process: ProcessIdentity
  /** Socket on which it is notified that the session is taken down; omitted when it does not listen. */
  readonly socket?: string | undefined
}

/** The process that lends the servers of a session. There is at most one. */
export interface Lender {
  /** Path of its socket. The call that creates the session chooses it, so that commands know it before a lender runs. */
  readonly socket: string
  /** Left out while none runs. */
  readonly by?: Pick<Holder, 'machine' | 'process'> | undefined
}

/** The process that cleans up after the processes that it watches have ended. */
export interface Keeper extends Holder {
  /** Socket for other processes to join; empty when they cannot. */
  readonly socket: string
}

/** A machine between two boots. A process id is only valid there. */
export interface Machine {
  readonly name: string
  /** Tells it from another machine with the same name; empty if the system does not say. */
  readonly id: string
  /** Changes with every boot of the system; empty if the system does not say. */
  readonly boot: string
  /** Identifies the process id namespace, as containers number their processes separately; empty if unknown. */
  readonly pidSpace: string
  /** Id of the container on the session's engine that this process runs in; omitted outside a container. */
  readonly container?: string | undefined
}

/** A process, and not a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; equal for equal processes. Empty if the system does not say. */
  readonly startedAt: string
}
