import type { Readable } from 'node:stream'
import type {
  CallOptions,
  ContainerCopy,
  EngineLocation,
  ExecProcess,
  ExecRequest,
  LogRequest,
  PathStat,
} from '../engine/engine.ts'
import type { ImageSummary } from '../engine/image-types.ts'
import {
  type ContainerDetails,
  type ContainerSpec,
  type ContainerSummary,
  type OutputChunk,
  stopGrace,
} from '../model/container.ts'
import type { ContainerChange, FollowRange } from '../model/container-event.ts'
import type { Port } from '../model/fleet.ts'
import { type Hook, readPreStop } from '../model/hook.ts'
import { type Labels, label } from '../model/labels.ts'
import type { Endpoint } from '../model/running.ts'

/**
 * Port through which sessions are observed and changed: records, servers, networks, volumes. Docker and Podman
 * implement it on the engine port (`containers/`); a cluster can implement it directly. Every implementation passes the
 * suite in `conformance/`.
 *
 * Each method rejects with a `TestfleetError` or with the reason of `signal`. Removing something that is gone succeeds.
 * Creation is not cancelled half-way, so the caller always learns the id.
 */
export interface Runtime {
  readonly location: Pick<EngineLocation, 'url' | 'because' | 'remoteHost' | 'endpoint'>

  /** Lists every revision of every session's record. */
  listRecords(options?: CallOptions): Promise<readonly StoredText[]>
  /**
   * Stores one revision of a session's record, and returns the writer of the stored revision: another one when that
   * revision already existed. Stored revisions never change.
   */
  storeRecord(
    record: Omit<StoredText, 'createdAtMs'>,
    about: { readonly fleet: string; readonly owner: string },
    options?: CallOptions,
  ): Promise<string>
  removeRecord(session: string, revision: number, options?: CallOptions): Promise<void>
  /** Removes what the runtime keeps of a session besides its servers and records: called once these are gone. */
  forgetSession?(session: string): Promise<void>

  /** Lists everything that carries these labels, except records. */
  observe(labels: Labels, options?: CallOptions): Promise<Resources>
  /** Lists only servers, with one request instead of three. */
  listServers(labels: Labels, options?: CallOptions): Promise<readonly ContainerSummary[]>
  /** Returns its id. Fails with NAME_TAKEN. */
  createNetwork(name: string, labels: Labels, options?: CallOptions): Promise<string>
  /** Fails with NAME_TAKEN when a volume of that name has other labels: it is never adopted. */
  createVolume(name: string, labels: Labels, options?: CallOptions): Promise<void>
  removeNetwork(id: string, options?: CallOptions): Promise<void>
  removeVolume(name: string, options?: CallOptions): Promise<void>
  /** Lists the images of a session that `saveServer` has made, also those that are incomplete or have lost their name. */
  listSavedImages(session: string, options?: CallOptions): Promise<readonly ImageSummary[]>
  /** Removes an image, by its name or id. Fails with ENGINE_REFUSED while a server uses it. */
  removeImage(reference: string, options?: CallOptions): Promise<void>
  /** Removes images of a change that was not completed. */
  removeUnfinishedImages(change: string, options?: CallOptions): Promise<void>

  /** Whether a server can be created before its network, which then has to exist when the server starts. */
  createsBeforeNetwork(options?: CallOptions): Promise<boolean>
  /** Returns its id. Fails with NAME_TAKEN or IMAGE_NOT_FOUND. */
  createServer(spec: ContainerSpec, options?: CallOptions): Promise<string>
  /**
   * Creates a server with the settings of another one, and returns its id. Its anonymous volumes are new: what was
   * delivered into the other one is not in it. Fails with NAME_TAKEN or IMAGE_NOT_FOUND.
   */
  copyServer(id: string, changes: ContainerCopy, options?: CallOptions): Promise<string>
  /** Unpacks a tar archive into a folder of a server, whether it runs or not. A stream is read once. */
  deliver(id: string, folder: string, archive: Uint8Array | Readable, options?: CallOptions): Promise<void>
  /** Whether an archive that is delivered into a folder reaches the volumes that are mounted below it. */
  deliversIntoMounts(options?: CallOptions): Promise<boolean>
  /** Returns a file or folder of a server as a tar archive of at most `maxBytes`. Fails with NOT_FOUND. */
  fetch(id: string, path: string, maxBytes: number, options?: CallOptions): Promise<Uint8Array>
  /** Reads a file or folder of a server as a tar archive of any size, in chunks. Fails with NOT_FOUND. */
  readArchive(id: string, path: string, options?: CallOptions): AsyncIterable<Uint8Array>
  /** Looks at a path of a server, whether it runs or not. Follows links on the way. Undefined when nothing is there. */
  statPath(id: string, path: string, options?: CallOptions): Promise<PathStat | undefined>
  /** Fails with PORT_TAKEN, COMMAND_NOT_FOUND or START_FAILED. */
  startServer(id: string, options?: CallOptions): Promise<void>
  /** Fails with PORT_TAKEN when another program answers at a port of a server without a container. */
  confirmPorts?(id: string, options?: CallOptions): Promise<void>
  /**
   * Returns the rows of the kernel's tables of sockets (/proc/net) that belong to the processes of a server without a
   * container, which has no network of its own; undefined for a container.
   */
  readSocketTables?(id: string): Promise<string | undefined>
  /**
   * Stops a server. One whose fleet file names a stop signal or a grace period gets the signal and that time; any other
   * is stopped at once. `graceMs` replaces that time. Its
   * `preStop` commands run first. It can be started again.
   */
  stopServer(server: StoppableServer, options?: StopOptions): Promise<void>
  /** Sends a signal, such as SIGHUP, to a server's first process. Fails with ENGINE_REFUSED when it does not run. */
  killServer(id: string, signal: string, options?: CallOptions): Promise<void>
  /** Freezes every process of a server. No error if it is paused already. Fails with ENGINE_REFUSED when it does not run. */
  pauseServer(id: string, options?: CallOptions): Promise<void>
  /** Ends a pause. No error if the server runs. Fails with ENGINE_REFUSED when it has ended. */
  resumeServer(id: string, options?: CallOptions): Promise<void>
  /** Returns the memory that a server uses, in bytes, without its page cache; undefined when the runtime does not tell. */
  readMemory(id: string, options?: CallOptions): Promise<number | undefined>
  /** Stops a server in the same way, and removes it with its anonymous volumes. */
  removeServer(server: StoppableServer, options?: CallOptions): Promise<void>
  inspectServer(id: string, options?: CallOptions): Promise<ContainerDetails>
  /**
   * Saves the files of a server that is stopped or paused as an image: also those in the volumes that its image declares,
   * and none of a volume or folder that the fleet file mounts, of its secrets, its key, and of memory. The image has the
   * variables of the server's image: other names stay, without their values.
   */
  saveServer(id: string, image: SavedImage, options?: CallOptions): Promise<void>
  /** Waits, without a deadline, until the server has ended, and resolves with its exit code. */
  waitServer(id: string, options?: CallOptions): Promise<number>
  /**
   * Follows what happens to the servers of a session, in order, whatever causes it. Has no deadline. Fails with ENGINE_LOST
   * when the connection breaks.
   */
  followServers(session: string, range: FollowRange, options?: CallOptions): AsyncIterable<ServerChange>
  readLogs(id: string, request: LogRequest, options?: CallOptions): AsyncIterable<OutputChunk>
  /**
   * Fails with COMMAND_NOT_FOUND, here or while its output is read, or with ENGINE_REFUSED when the server does not
   * run.
   */
  exec(id: string, request: ExecRequest, options?: CallOptions): Promise<ExecProcess>
  /** Returns the addresses at which this machine reaches a server. */
  reach(server: Pick<ContainerSummary, 'networks' | 'published'>, ports: readonly Port[]): ServerAddresses
  /** Returns the container that publishes this port of the runtime's machine; undefined when there is none. */
  findPublisher(port: number, options?: CallOptions): Promise<ContainerSummary | undefined>
}

export interface SavedImage {
  /** Name and tag of the new image. */
  readonly reference: string
  /** Labels of the new image. Others that only the server has stay, without their values. */
  readonly labels: Labels
}

/** Something that happened to a server. */
export type ServerChange = ContainerChange & {
  /** Its name in the fleet file. */
  readonly server: string
  readonly id: string
  /** When it happened, in milliseconds since 1970 by the clock of the runtime's machine; with a fraction. */
  readonly atMs: number
}

/** A stored revision of a record. */
export interface StoredText {
  /** Id of the session. */
  readonly session: string
  /** Counts from 1. */
  readonly revision: number
  /** Random id of the write. */
  readonly writer: string
  readonly text: string
  readonly createdAtMs: number
}

export interface Resources {
  readonly servers: readonly ContainerSummary[]
  readonly networks: readonly Resource[]
  readonly volumes: readonly Resource[]
}

export interface Resource {
  /** Id by which it is removed. */
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly createdAtMs: number
}

export interface StopOptions extends CallOptions {
  /** Grace period; 0 kills the server at once. Default: the value in its labels, see `graceOf`. */
  readonly graceMs?: number | undefined
}

/** Callbacks for what happens while servers stop. */
export interface StopListener {
  /** Called when a server ignored its stop signal and was killed at the end of its grace period. */
  onKilled?(server: StoppableServer, graceMs: number): void
  /** Called when a `preStop` command begins. `number` counts from 1. */
  onPreStop?(server: StoppableServer, hook: Hook, number: number, total: number): void
  onPreStopFailed?(server: StoppableServer, failure: PreStopFailure): void
}

export interface PreStopFailure {
  readonly hook: Hook
  /** Number of the command, from 1. */
  readonly number: number
  /** Reason, such as `failed with exit code 3`. */
  readonly why: string
  /** Last lines of its output, which may contain `secrets`. */
  readonly output: readonly string[]
  readonly secrets: readonly string[]
}

export type StoppableServer = Pick<ContainerSummary, 'id' | 'labels' | 'state'>

/**
 * Returns the grace period of a server; 0 when its fleet file names neither a stop signal nor a grace period. The label
 * is bounded here, because an image can carry any label.
 */
export function graceOf({ labels }: Pick<StoppableServer, 'labels'>): number {
  const namedMs = Number(labels[label.stopGrace] ?? Number.NaN)
  if (namedMs >= 0) return Math.min(namedMs, stopGrace.longestMs)
  return labels[label.stopSignal] === undefined ? 0 : stopGrace.defaultMs
}

/** How long a server may take to stop: for its `preStop` commands, and after its signal. */
export function stopTimeOf(server: Pick<StoppableServer, 'labels'>): number {
  return readPreStop(server.labels).reduce((ms, { timeoutMs }) => ms + timeoutMs, graceOf(server))
}

/** Whether a server runs and may work until its end: it is not killed at once when it is stopped or removed. */
export function stopsGracefully(server: Pick<StoppableServer, 'labels' | 'state'>): boolean {
  return (server.state === 'running' || server.state === 'paused') && stopTimeOf(server) > 0
}

/** Addresses of a server, as seen from the machine that testfleet runs on. */
export interface ServerAddresses {
  /** Whether the engine is on another machine. */
  readonly isRemote: boolean
  /** Address on the fleet's network; empty when the server does not run. */
  readonly ip: string
  /** `ip` if this machine can reach it, else undefined. */
  readonly reachableIp: string | undefined
  /** Endpoints by `<port>/<protocol>`. */
  readonly endpoints: ReadonlyMap<string, Endpoint>
  published(port: number, protocol?: Port['protocol']): Endpoint | undefined
  direct(port: number): Endpoint | undefined
}
