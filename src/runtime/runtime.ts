import type { CallOptions, EngineLocation, ExecProcess, ExecRequest, LogRequest } from '../engine/engine.ts'
import {
  type ContainerDetails,
  type ContainerSpec,
  type ContainerSummary,
  type OutputChunk,
  stopGrace,
} from '../model/container.ts'
import type { Port } from '../model/fleet.ts'
import { type Labels, label } from '../model/labels.ts'
import type { Endpoint } from '../model/running.ts'

/**
 * The port through which sessions are observed and changed: records, servers and what they stand on, in testfleet's own
 * nouns. Docker and Podman implement it through the engine port (`containers/`); a cluster can implement it without one.
 * Every implementation passes the suite in `conformance/`.
 *
 * Each verb rejects with a `TestfleetError` or with the reason of `signal`. Removing what is gone is no error. Whatever
 * creates something is not cancelled half-way: its caller always learns the id.
 */
export interface Runtime {
  readonly location: Pick<EngineLocation, 'url' | 'because' | 'remoteHost' | 'endpoint'>

  /** Every revision of every session's record. */
  listRecords(options?: CallOptions): Promise<readonly StoredText[]>
  /**
   * Stores one revision of a session's record, and returns who wrote the revision that is stored: another writer when
   * that revision was there already. Nothing that is stored ever changes.
   */
  storeRecord(
    record: Omit<StoredText, 'createdAtMs'>,
    about: { readonly fleet: string; readonly owner: string },
    options?: CallOptions,
  ): Promise<string>
  removeRecord(session: string, revision: number, options?: CallOptions): Promise<void>

  /** Everything that carries these labels, records excepted. */
  observe(labels: Labels, options?: CallOptions): Promise<Resources>
  /** Servers alone: one question in place of three. */
  listServers(labels: Labels, options?: CallOptions): Promise<readonly ContainerSummary[]>
  /** Returns its id. NAME_TAKEN. */
  createNetwork(name: string, labels: Labels, options?: CallOptions): Promise<string>
  /** NAME_TAKEN, for a volume of that name that carries other labels: it is never adopted. */
  createVolume(name: string, labels: Labels, options?: CallOptions): Promise<void>
  removeNetwork(id: string, options?: CallOptions): Promise<void>
  removeVolume(name: string, options?: CallOptions): Promise<void>
  /** Removes the images that a change has not completed. */
  removeUnfinishedImages(change: string, options?: CallOptions): Promise<void>

  /** Returns its id. NAME_TAKEN, IMAGE_NOT_FOUND. */
  createServer(spec: ContainerSpec, options?: CallOptions): Promise<string>
  /** Puts the files of a tar archive below a folder of a server, whether it runs or not. */
  deliver(id: string, folder: string, archive: Uint8Array, options?: CallOptions): Promise<void>
  /** A file or folder of a server as a tar archive of at most `maxBytes`. NOT_FOUND. */
  fetch(id: string, path: string, maxBytes: number, options?: CallOptions): Promise<Uint8Array>
  /** PORT_TAKEN, COMMAND_NOT_FOUND, START_FAILED. */
  startServer(id: string, options?: CallOptions): Promise<void>
  /**
   * Stops a server: by its signal, with time to obey it, where its fleet file names a signal or a time; else at once. It
   * can be started again.
   */
  stopServer(server: StoppableServer, options?: CallOptions): Promise<void>
  /** Stops it in the same way, and removes it with the volumes that have no name. */
  removeServer(server: StoppableServer, options?: CallOptions): Promise<void>
  inspectServer(id: string, options?: CallOptions): Promise<ContainerDetails>
  /** Resolves with the exit code as soon as it does not run. Waits without a deadline of its own. */
  waitServer(id: string, options?: CallOptions): Promise<number>
  readLogs(id: string, request: LogRequest, options?: CallOptions): AsyncIterable<OutputChunk>
  /** COMMAND_NOT_FOUND, here or from its output; ENGINE_REFUSED when the server does not run. */
  exec(id: string, request: ExecRequest, options?: CallOptions): Promise<ExecProcess>
  /** How this machine reaches a server that has been observed. */
  reach(server: Pick<ContainerSummary, 'networks' | 'published'>, ports: readonly Port[]): ServerAddresses
  /** Who publishes this port of the runtime's machine, in words; undefined when it is none of its containers. */
  findPublisher(port: number, options?: CallOptions): Promise<ContainerSummary | undefined>
}

/** One revision of a record as it is stored. */
export interface StoredText {
  /** The session's id. */
  readonly session: string
  /** Counts from 1. */
  readonly revision: number
  /** Chosen at random for each write. */
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
  /** What it is removed by. */
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly createdAtMs: number
}

export type StoppableServer = Pick<ContainerSummary, 'id' | 'labels' | 'state'>

/**
 * How long a server has to obey the signal that stops it; 0 for one whose fleet file names neither a signal nor a time.
 * An image can carry any label, so the time is bounded here, too.
 */
export function graceOf({ labels }: Pick<StoppableServer, 'labels'>): number {
  const namedMs = Number(labels[label.stopGrace] ?? Number.NaN)
  if (namedMs >= 0) return Math.min(namedMs, stopGrace.longestMs)
  return labels[label.stopSignal] === undefined ? 0 : stopGrace.defaultMs
}

/** Where a server can be reached, from the machine that testfleet runs on. */
export interface ServerAddresses {
  /** Whether the engine is on another machine. */
  readonly isRemote: boolean
  /** On the fleet's network; empty when the server does not run. */
  readonly ip: string
  /** The same, where this machine can reach it; undefined elsewhere. */
  readonly reachableIp: string | undefined
  /** By `<port>/<protocol>`. */
  readonly endpoints: ReadonlyMap<string, Endpoint>
  published(port: number, protocol?: Port['protocol']): Endpoint | undefined
  direct(port: number): Endpoint | undefined
}
