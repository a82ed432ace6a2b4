import type { Readable } from 'node:stream'
import type { ContainerDetails, ContainerSpec, ContainerSummary, OutputChunk } from '../model/container.ts'
import type { EngineEndpoint } from '../model/engine-endpoint.ts'
import type { Labels } from '../model/labels.ts'

/**
 * What testfleet asks of whatever runs containers: a narrow port, in our nouns. Each engine has a folder of its own
 * below this one, and passes the conformance suite beside this file.
 *
 * Promises that hold for every verb: it rejects with a `TestfleetError` (ENGINE_LOST when the connection broke,
 * ENGINE_TIMEOUT when the engine did not answer in time, ENGINE_REFUSED for an answer that is an error, NOT_FOUND when
 * what was named is not there) or with the signal's reason once `signal` has fired, and leaves no connection behind.
 *
 * A verb that can be repeated is, where an engine breaks off or restarts; one that makes something new is not. After
 * ENGINE_LOST and ENGINE_TIMEOUT from the latter, it may be there all the same. What waits without a deadline of its own
 * ends with one of these two when the engine no longer answers a ping.
 */
export interface Engine {
  /** Where it is and why it was chosen; known before anything is sent. */
  readonly location: EngineLocation
  /** Asks who answers, and settles the version of the API that is spoken. Fails with exit code 3 failures. */
  version(options?: CallOptions): Promise<EngineVersion>
  info(options?: CallOptions): Promise<EngineInfo>

  /** All containers, running or not, that carry all these labels. A label with an empty value matches any value. */
  listContainers(labels: Labels, options?: CallOptions): Promise<readonly ContainerSummary[]>
  /** Containers, of anyone, that publish this port of the host. */
  listContainersPublishing(hostPort: number, options?: CallOptions): Promise<readonly ContainerSummary[]>
  inspectContainer(id: string, options?: CallOptions): Promise<ContainerDetails>
  /** Returns its id. NAME_TAKEN, IMAGE_NOT_FOUND. */
  createContainer(spec: ContainerSpec, options?: CallOptions): Promise<string>
  /** PORT_TAKEN (the message names the port), COMMAND_NOT_FOUND, START_FAILED. Never runs it twice. */
  startContainer(id: string, options?: CallOptions): Promise<void>
  /** Sends the stop signal, kills after `graceMs`. A container that does not run is no error. */
  stopContainer(id: string, graceMs: number, options?: CallOptions): Promise<void>
  /** NAME_TAKEN. */
  renameContainer(id: string, name: string, options?: CallOptions): Promise<void>
  /** Kills and removes it, with the volumes that have no name. One that is gone already is no error. */
  removeContainer(id: string, options?: CallOptions): Promise<void>
  /** Resolves with the exit code as soon as it does not run. Waits without a deadline of its own. */
  waitContainer(id: string, options?: CallOptions): Promise<number>
  /** From the first line on, or the last `tail`; ends with the container when `follow`, else at once. */
  readLogs(id: string, request: LogRequest, options?: CallOptions): AsyncIterable<OutputChunk>
  /**
   * Runs a command in a running container. COMMAND_NOT_FOUND, here or from its output, when there is no such program;
   * ENGINE_REFUSED when the container does not run. The signal holds until the command has ended; it ends the
   * connection, and not the command.
   */
  exec(id: string, request: ExecRequest, options?: CallOptions): Promise<ExecProcess>
  /** Unpacks a tar stream below `folder`, whether it runs or not. */
  putArchive(id: string, folder: string, archive: Uint8Array, options?: CallOptions): Promise<void>
  /** The path as a tar archive, at most `maxBytes`. */
  getArchive(id: string, path: string, maxBytes: number, options?: CallOptions): Promise<Uint8Array>

  listNetworks(labels: Labels, options?: CallOptions): Promise<readonly NetworkSummary[]>
  /** Returns its id. NAME_TAKEN. */
  createNetwork(name: string, labels: Labels, options?: CallOptions): Promise<string>
  /** One that is gone already is no error. */
  removeNetwork(id: string, options?: CallOptions): Promise<void>

  listVolumes(labels: Labels, options?: CallOptions): Promise<readonly VolumeSummary[]>
  /** One of that name that is there already is no error, and keeps its labels. */
  createVolume(name: string, labels: Labels, options?: CallOptions): Promise<void>
  /** One that is gone already is no error. ENGINE_REFUSED when a container uses it. */
  removeVolume(name: string, options?: CallOptions): Promise<void>

  /** Undefined when the engine does not have it. */
  inspectImage(reference: string, options?: CallOptions): Promise<ImageDetails | undefined>
  listImages(labels: Labels, options?: CallOptions): Promise<readonly ImageSummary[]>
  /** With the registry credentials that the engine's own command would use. PULL_FAILED, IMAGE_NOT_FOUND. Waits without a deadline of its own. */
  pullImage(reference: string, request: PullRequest, options?: CallOptions): Promise<void>
  /** Builds and tags. BUILD_FAILED, as a `BuildFailure`. Waits without a deadline of its own. */
  buildImage(request: BuildRequest, options?: CallOptions): Promise<void>
  /** One that is gone already is no error. ENGINE_REFUSED when a container uses it. */
  removeImage(reference: string, options?: CallOptions): Promise<void>

  /** What happened to containers with these labels from one time to another, both past, as the engine tells it. */
  readEvents(labels: Labels, range: EventRange, options?: CallOptions): Promise<readonly unknown[]>

  /** Closes idle connections. */
  close(): void
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** For one answer, tries included; each verb has a sensible default, which TESTFLEET_ENGINE_TIMEOUT scales. */
  readonly timeoutMs?: number | undefined
}

export interface EngineLocation {
  /** Such as `unix:///var/run/docker.sock`. */
  readonly url: string
  /** What decided: `--engine`, `DOCKER_HOST`, `context "x" of DOCKER_CONTEXT`, `default socket` … */
  readonly because: string
  /** The name or address of the engine's machine; undefined when it is this one, and its loopback ours. */
  readonly remoteHost: string | undefined
  readonly endpoint: EngineEndpoint
  /** URLs of the sockets that were looked for, in order; undefined when the engine was named. */
  readonly candidates?: readonly string[]
}

export interface EngineVersion {
  /** Such as `Docker Engine` or `Podman Engine`. */
  readonly product: string
  readonly version: string
  /** The version of the API that is spoken. */
  readonly api: string
  /** The engine's newest and oldest. */
  readonly apiMax: string
  readonly apiMin: string
  readonly os: string
  readonly arch: string
}

export interface EngineInfo {
  readonly operatingSystem: string
  readonly storageDriver: string
  readonly cgroupVersion: string
  readonly isRootless: boolean
  readonly cpus: number
  readonly memoryBytes: number
  readonly warnings: readonly string[]
}

export interface NetworkSummary {
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly createdAtMs: number
}

export interface VolumeSummary {
  readonly name: string
  readonly labels: Labels
  readonly createdAtMs: number
}

/** In milliseconds since 1970. */
export interface EventRange {
  readonly fromMs: number
  readonly toMs: number
}

export interface ImageDetails {
  readonly id: string
  /** Such as `debian@sha256:…`: what registries call it. Empty for an image that came from none. */
  readonly repositoryDigests: readonly string[]
  /** Zero where nobody has noted it. */
  readonly createdAtMs: number
  readonly sizeBytes: number
  readonly labels: Labels
  readonly hasHealthcheck: boolean
}

export interface ImageSummary {
  readonly id: string
  readonly references: readonly string[]
  readonly labels: Labels
}

export interface LogRequest {
  readonly follow: boolean
  readonly tail?: number
  readonly timestamps?: boolean
}

export interface ExecRequest {
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly user?: string
  readonly workingDir?: string
  /** Keep its standard input open for `ExecProcess.stdin`. */
  readonly stdin?: boolean
  /** A terminal of so many rows and columns; its output is then all stdout. */
  readonly tty?: { readonly rows: number; readonly columns: number } | undefined
}

export interface ExecProcess {
  /** To be read once. COMMAND_NOT_FOUND where only the output told of it. */
  readonly output: AsyncIterable<OutputChunk>
  /**
   * Known once `output` has ended; drops the output that nobody has begun to read. Fails as `output` does, and with
   * ENGINE_LOST when the output has ended and the command has not.
   */
  exitCode(): Promise<number>
  /**
   * Only with `stdin`. Resolves when the command is ready for more: a caller that waits before each write keeps nothing in
   * memory. Resolves, too, when the connection has ended; input after that is dropped.
   */
  write(bytes: Uint8Array): Promise<void>
  endInput(): void
  resize(rows: number, columns: number): Promise<void>
}

export interface PullRequest {
  readonly platform?: string | undefined
  onProgress?(progress: PullProgress): void
}

export interface PullProgress {
  readonly status: string
  readonly currentBytes: number
  readonly totalBytes: number
}

export interface BuildRequest {
  /** All the references that the image gets; at least one. */
  readonly tags: readonly string[]
  readonly labels: Labels
  /** The Dockerfile's path in the context. */
  readonly dockerfile: string
  readonly target?: string | undefined
  readonly args?: Readonly<Record<string, string>>
  readonly platform?: string | undefined
  /** A tar archive; read once. */
  readonly context: Readable
  onProgress?(progress: BuildProgress): void
}

/** What a build says while it works. A step may be told twice: when it begins, and when it turns out to be cached. */
export type BuildProgress =
  /** `step` counts FROM, COPY, ADD, RUN and WORKDIR from 1 within its stage; undefined outside of the numbered steps. */
  | {
      readonly kind: 'step'
      readonly step: number | undefined
      readonly total: number | undefined
      readonly text: string
      readonly isCached: boolean
    }
  | { readonly kind: 'output'; readonly line: string }
