/**
 * What happens once nobody holds a lease any more, because all have left, or have died:
 *
 * - `hold`: the session goes;
 * - `work`: what one call has made of a session goes, and what it had set aside comes back;
 * - `time`: nobody has to hold it: the session goes when its time is up.
 */
export type LeaseKind = 'hold' | 'work' | 'time'

/**
 * A lease, as it stands on the engine: a volume without content, whose labels say all of this. What is made under a
 * lease carries its id, so that it can be told from what another call makes under the same names.
 */
export interface Lease {
  readonly id: string
  readonly session: string
  readonly kind: LeaseKind
  /** The name of its volume. */
  readonly volume: string
  /** Undefined when the label cannot be read, as another version may have written it. */
  readonly holder: Holder | undefined
  readonly createdAtMs: number
}

/** Who keeps a lease alive. */
export interface Holder {
  readonly machine: Machine
  /** The call that took it, and its keeper: it is alive as long as one of them is. */
  readonly processes: readonly ProcessIdentity[]
  /** Where the keeper listens; empty when nobody can join. */
  readonly socket: string
  /** When it ends by itself, in milliseconds since 1970. */
  readonly untilMs?: number | undefined
}

/** A machine between two starts, as far as processes are concerned: a pid means something only there. */
export interface Machine {
  readonly name: string
  /** What tells it from another one of that name; empty where the system does not say. */
  readonly id: string
  /** New with every start of the system; empty where the system does not say. */
  readonly boot: string
  /** Containers number their processes on their own; empty where the system does not say. */
  readonly pidSpace: string
}

/** A process, and not a later one of the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; equal for equal processes. Empty where the system does not say. */
  readonly startedAt: string
}

/** The name of a lease's volume; a volume of the fleet's own has no dot in its name. */
export function leaseVolume(session: string, id: string): string {
  return `${session}.${id}`
}

/** A server that is replaced keeps its container under this name until the new one is ready. */
export interface SetAside {
  readonly session: string
  readonly server: string
  readonly lease: string
  /** Whether it ran, and has to run again when it comes back. */
  readonly ran: boolean
}

export function formatSetAside({ session, server, lease, ran }: SetAside): string {
  return `${session}-${server}.${lease}${ran ? '' : '.off'}`
}

/** The lease for which a container was set aside, by the container's name; undefined for one that was not. */
export function readSetAside(name: string): { readonly original: string; lease: string; ran: boolean } | undefined {
  const [, original = '', lease = '', off] = /^([a-z0-9-]+)\.([0-9a-f]{12})(\.off)?$/.exec(name) ?? []
  return original === '' ? undefined : { original, lease, ran: off === undefined }
}
