/**
 * An event: something that happened during a call. `kind` says what, and `data` has the details of that kind.
 *
 * @example
 * const testfleet = new Testfleet({
 *   onEvent: (event) => {
 *     if (event.kind === 'server.ready') console.log(event.data.server, event.data.elapsedMs)
 *   },
 * })
 */
export type TestfleetEvent<Kind extends EventKind = EventKind> = { [Each in Kind]: EventOf<Each> }[Kind]

interface EventOf<Kind extends EventKind> {
  /** When it happened: ISO 8601 in UTC, with milliseconds. */
  readonly time: string
  /** Name of the session that it concerns; undefined while that is not known, and for calls that have none. */
  readonly session: string | undefined
  /** The call that it belongs to. */
  readonly operation: EventOperation
  readonly kind: Kind
  readonly data: EventData[Kind]
}

/** The call that an event belongs to. */
export interface EventOperation {
  /** Unique for each call. */
  readonly id: string
  /** Name of the call, such as `up`: that of the command or of the library's method. */
  readonly name: string
}

/** The name of what happened, such as `server.ready`. */
export type EventKind = keyof EventData

/** A kind of event that `serverEvents` delivers: what happened to a server, whatever caused it. */
export type ServerEventKind =
  | 'server.created'
  | 'server.started'
  | 'server.exited'
  | 'server.outOfMemory'
  | 'server.signalled'
  | 'server.paused'
  | 'server.resumed'
  | 'server.healthy'
  | 'server.unhealthy'
  | 'server.removed'

/** The details of each kind of event. New kinds and new fields may be added; known ones keep their meaning. */
export interface EventData {
  /** A call has begun. */
  readonly 'operation.started': {
    /** Version of testfleet. */
    readonly version: string
  }
  /** A call has ended, however it ended. It is the last event of its operation. */
  readonly 'operation.ended': {
    readonly outcome: 'ok' | 'failed' | 'cancelled'
    /** Code of the failure; undefined after success, and for an error that is none of testfleet's. */
    readonly code?: string | undefined
    readonly message?: string | undefined
    readonly elapsedMs: number
  }
  /** The changes that `up`, `start` or `run` is about to make, in an order in which nothing needs a later one. */
  readonly 'plan.made': { readonly changes: readonly PlannedChange[] }

  /** An image is being pulled. Repeated with each report of progress. */
  readonly 'image.pulling': ImageData & { readonly status: string }
  readonly 'image.pulled': ImageData & { readonly elapsedMs: number }
  /** An image is being built. Repeated at each step. */
  readonly 'image.building': ImageData & {
    /** Undefined before the first step. */
    readonly step?: EventBuildStep | undefined
  }
  /** A line of a build's output. */
  readonly 'image.output': ImageData & { readonly line: string }
  readonly 'image.built': ImageData & { readonly elapsedMs: number }
  /** The ready state of a server is being saved as an image. Repeated at each step. */
  readonly 'image.baking': ImageData & {
    /** Undefined before the first step. */
    readonly status?: string | undefined
  }
  readonly 'image.baked': ImageData & { readonly elapsedMs: number }
  readonly 'image.removed': { readonly image: string }

  readonly 'network.created': NetworkData
  readonly 'network.removed': NetworkData
  readonly 'volume.created': VolumeData
  readonly 'volume.removed': VolumeData

  /** The container of a server was created. It does not run yet. */
  readonly 'server.created': ServerData & {
    /** Id of the container. */
    readonly container: string
  }
  readonly 'server.starting': ServerData
  /** The first process of a server runs. The server may not answer yet. */
  readonly 'server.started': ServerData
  /** A command of `preStart`, `postStart` or `preStop` begins in a server. */
  readonly 'server.hook': ServerData & {
    readonly hook: 'preStart' | 'postStart' | 'preStop'
    /** Counts from 1. */
    readonly number: number
    readonly total: number
    readonly command: string
  }
  /** A line that such a command has printed. */
  readonly 'server.hookOutput': ServerData & {
    readonly hook: 'preStart' | 'postStart' | 'preStop'
    readonly line: string
  }
  /** A ready check was tried and does not pass yet. Repeated after each try. */
  readonly 'server.waiting': ServerData & {
    readonly check: string
    /** Answer of the server; undefined at the first try. */
    readonly answer?: string | undefined
    /** How long the try took; undefined before the first one, and for news of a try that goes on. */
    readonly elapsedMs?: number | undefined
  }
  /** A ready check passes. */
  readonly 'server.checked': ServerData & {
    readonly check: string
    /** How long the last try took; undefined for a check without tries, such as `log`. */
    readonly elapsedMs?: number | undefined
  }
  /** All ready checks of a server pass. */
  readonly 'server.ready': ReadyData
  /** A server did its work and ended with the exit code of its `exit` check. */
  readonly 'server.completed': ReadyData
  readonly 'server.stopping': ServerData
  readonly 'server.stopped': ServerData
  /** A server failed. What the call created is removed after this event. */
  readonly 'server.failed': ServerData & { readonly message: string }
  /** A server was not started because something that it needs has failed. */
  readonly 'server.skipped': ServerData & {
    /** The thing that has failed: a server, an image, a network or a volume. */
    readonly because: string
  }
  readonly 'server.removing': ServerData
  readonly 'server.removed': ServerData
  /** The old container of a server was removed, after the new one was ready. */
  readonly 'server.replaced': ServerData

  /** A signal was sent to a server. */
  readonly 'server.signalled': ServerData & {
    /** Such as `SIGTERM`, or its number; undefined where `serverEvents` cannot know it, with Podman. */
    readonly signal?: string | undefined
  }
  readonly 'server.paused': ServerData
  readonly 'server.resumed': ServerData
  /** The first process of a server has ended, for whatever reason. Only from `serverEvents`. */
  readonly 'server.exited': ServerData & {
    /** 128 and the number of the signal, if a signal has ended it. */
    readonly exitCode: number
  }
  /** The kernel has killed a process of a server that had used up its memory. Only from `serverEvents`, and not with Podman. */
  readonly 'server.outOfMemory': ServerData
  /** The health check of a server's image has passed. Only from `serverEvents`. */
  readonly 'server.healthy': ServerData
  /** The health check of a server's image has failed. Only from `serverEvents`. */
  readonly 'server.unhealthy': ServerData

  /** Another call changes the session. This one waits until it is done. */
  readonly 'session.waiting': {
    /** The holder that changes it. */
    readonly holder: string
  }
  /** The call has failed: the servers that it started are removed, and those that it replaced are put back. */
  readonly 'session.undoing': ServersData
  /** The call has failed and was told to keep what it started. */
  readonly 'session.kept': ServersData
  /** The remains of a dead process in a session were cleaned up. */
  readonly 'session.cleaned': {
    /** Servers that were removed. */
    readonly removed: readonly string[]
    /** Servers that run again. */
    readonly putBack: readonly string[]
  }

  /** The failure bundle was written. */
  readonly 'bundle.written': {
    readonly folder: string
    /** The same as one file, if that was requested. */
    readonly archive?: string | undefined
  }
  readonly warning: { readonly message: string }
  /** What a call that takes long is doing, in words. */
  readonly note: { readonly message: string }
  /** The reader of `events()` was too slow. This number of the oldest events was dropped here. */
  readonly 'events.dropped': { readonly count: number }
}

interface ServerData {
  /** Name of the server in its fleet file. */
  readonly server: string
}

interface ServersData {
  readonly servers: readonly string[]
}

interface ReadyData extends ServerData {
  readonly elapsedMs: number
  /** Whether it was running before the call and was left as it is. */
  readonly unchanged: boolean
}

interface ImageData {
  /** Reference of the image. */
  readonly image: string
  /** The servers that need it. */
  readonly servers: readonly string[]
}

interface NetworkData {
  /** Name of the network on the engine. */
  readonly network: string
}

interface VolumeData {
  /** Name of the volume in the fleet file. */
  readonly volume: string
}

/** A step of the build of an image. */
export interface EventBuildStep {
  /** Counts from 1. */
  readonly number: number
  readonly total: number
  readonly text: string
  readonly cached: boolean
}

/** One change of a plan. */
export interface PlannedChange {
  /** `run` runs a command of `preStart` or `postStart`; `reason` names it. */
  readonly action: 'pull' | 'build' | 'bake' | 'create' | 'stop' | 'start' | 'run' | 'keep' | 'update' | 'remove'
  readonly subject: 'image' | 'network' | 'volume' | 'server'
  readonly name: string
  /** Reason of the change; undefined if the action says it. */
  readonly reason?: string | undefined
}

/** Receives each event as it happens. */
export type OnTestfleetEvent = (event: TestfleetEvent) => void
