import type { Readable } from 'node:stream'
import type {
  ContainerDetails,
  ContainerSpec,
  ContainerSummary,
  OutputChunk,
  PublishedPort,
} from '../model/container.ts'
import type { ContainerEvent, FollowRange } from '../model/container-event.ts'
import type { EngineEndpoint, RemoteEndpoint } from '../model/engine-endpoint.ts'
import type { Labels } from '../model/labels.ts'
import type { BuildRequest, ImageDetails, ImageSummary, PullRequest } from './image-types.ts'

/**
 * Narrow port for everything that testfleet asks of an engine, in testfleet's own nouns. Each kind of engine has a
 * folder next to this file and passes the conformance suite.
 *
 * Every method rejects with a `TestfleetError` or, once `signal` has fired, with the signal's reason, and leaves no
 * connection behind. ENGINE_LOST: the connection broke. ENGINE_TIMEOUT: the engine did not answer in time.
 * ENGINE_REFUSED: it answered with an error, or with too many bytes. NOT_FOUND: the named object does not exist.
 *
 * When an engine drops a connection or restarts, a request is repeated if that is safe. Requests that create something
 * are not repeated: after ENGINE_LOST or ENGINE_TIMEOUT, the object may exist. A method without a deadline fails with
 * one of these two when the engine no longer answers a ping.
 */
export interface Engine {
  /** Location of the engine, and why it was chosen; known before anything is sent. */
  readonly location: EngineLocation
  /** Returns the engine's product and API version. Every failure has exit code 3. */
  version(options?: CallOptions): Promise<EngineVersion>
  info(options?: CallOptions): Promise<EngineInfo>

  /** Lists all containers, running or not, that carry all these labels. An empty value matches any value. */
  listContainers(labels: Labels, options?: CallOptions): Promise<readonly ContainerSummary[]>
  /** Lists the containers, also foreign ones, that publish this port of the host. */
  listContainersPublishing(hostPort: number, options?: CallOptions): Promise<readonly ContainerSummary[]>
  inspectContainer(id: string, options?: CallOptions): Promise<ContainerDetails>
  /** Whether a container can be created before its network, which then has to exist when the container starts. */
  createsBeforeNetwork(options?: CallOptions): Promise<boolean>
  /** Returns the container's id. NAME_TAKEN, IMAGE_NOT_FOUND. */
  createContainer(spec: ContainerSpec, options?: CallOptions): Promise<string>
  /**
   * Creates a container with the settings of another one, and returns its id. Its anonymous volumes are new. NAME_TAKEN,
   * IMAGE_NOT_FOUND.
   */
  copyContainer(id: string, changes: ContainerCopy, options?: CallOptions): Promise<string>
  /** Never runs the container twice. PORT_TAKEN (the message names the port), COMMAND_NOT_FOUND, START_FAILED. */
  startContainer(id: string, options?: CallOptions): Promise<void>
  /** Sends the stop signal, and kills after `graceMs`. No error if the container does not run. */
  stopContainer(id: string, graceMs: number, options?: CallOptions): Promise<void>
  /** Sends a signal, such as SIGHUP, to the container's first process. ENGINE_REFUSED when it does not run. */
  killContainer(id: string, signal: string, options?: CallOptions): Promise<void>
  /** Freezes every process of the container. No error if it is paused already; ENGINE_REFUSED when it does not run. */
  pauseContainer(id: string, options?: CallOptions): Promise<void>
  /** Ends a pause. No error if the container runs; ENGINE_REFUSED when it has ended. */
  unpauseContainer(id: string, options?: CallOptions): Promise<void>
  /** Returns the memory that the container uses, in bytes, without its page cache; undefined when the engine does not tell. */
  readMemory(id: string, options?: CallOptions): Promise<number | undefined>
  /** Fails with NAME_TAKEN. */
  renameContainer(id: string, name: string, options?: CallOptions): Promise<void>
  /** Kills and removes the container and its anonymous volumes. No error if it does not exist. */
  removeContainer(id: string, options?: CallOptions): Promise<void>
  /**
   * Saves a container as an image: its own files, without those in volumes and in memory, and its configuration with its
   * variables and labels. The container should be stopped or paused. Has no deadline.
   */
  commitContainer(id: string, reference: string, options?: CallOptions): Promise<void>
  /** Resolves with the exit code as soon as the container does not run. Has no deadline. */
  waitContainer(id: string, options?: CallOptions): Promise<number>
  /** Reads the log from its first line, or its last `tail` lines. With `follow`, it ends when the container does. */
  readLogs(id: string, request: LogRequest, options?: CallOptions): AsyncIterable<OutputChunk>
  /**
   * Runs a command in a running container. COMMAND_NOT_FOUND, from here or from the output, when there is no such
   * program; ENGINE_REFUSED when the container does not run. An abort, or a reader of the output that leaves before its
   * end, ends the command and all that it has started. What could not be ended is added to `leftovers` of the signal's reason.
   */
  exec(id: string, request: ExecRequest, options?: CallOptions): Promise<ExecProcess>
  /**
   * Unpacks a tar archive below `folder`, whether the container runs or not. A stream has no deadline, and is read once;
   * its own error is what the call rejects with.
   */
  putArchive(id: string, folder: string, archive: Uint8Array | Readable, options?: CallOptions): Promise<void>
  /** Whether an archive that is unpacked at a folder of a container reaches the volumes that are mounted below it. */
  unpacksIntoMounts(options?: CallOptions): Promise<boolean>
  /** Returns the path as a tar archive. ENGINE_REFUSED when it has more than `maxBytes`. */
  getArchive(id: string, path: string, maxBytes: number, options?: CallOptions): Promise<Uint8Array>
  /** Reads the path as a tar archive, of any size. The deadline covers only its beginning. NOT_FOUND. */
  readArchive(id: string, path: string, options?: CallOptions): AsyncIterable<Uint8Array>
  /** Looks at a path, whether the container runs or not. Links on the way are followed. Undefined when nothing is there. */
  statPath(id: string, path: string, options?: CallOptions): Promise<PathStat | undefined>

  listNetworks(labels: Labels, options?: CallOptions): Promise<readonly NetworkSummary[]>
  /** Returns the network's id. NAME_TAKEN. */
  createNetwork(name: string, labels: Labels, options?: CallOptions): Promise<string>
  /** No error if it does not exist. */
  removeNetwork(id: string, options?: CallOptions): Promise<void>

  listVolumes(labels: Labels, options?: CallOptions): Promise<readonly VolumeSummary[]>
  /** Returns the labels of the volume of that name: those of an earlier one when the name was in use. */
  createVolume(name: string, labels: Labels, options?: CallOptions): Promise<Labels>
  /** No error if it does not exist. ENGINE_REFUSED when a container uses it. */
  removeVolume(name: string, options?: CallOptions): Promise<void>

  /** Returns the image; undefined when the engine does not have it. */
  inspectImage(reference: string, options?: CallOptions): Promise<ImageDetails | undefined>
  listImages(labels: Labels, options?: CallOptions): Promise<readonly ImageSummary[]>
  /** Pulls with the login that the docker command would use. Has no deadline. PULL_FAILED, IMAGE_NOT_FOUND. */
  pullImage(reference: string, request: PullRequest, options?: CallOptions): Promise<void>
  /** Whether a RUN of a Dockerfile can mount a cache that builds share, with `--mount=type=cache`. */
  hasCacheMounts(options?: CallOptions): Promise<boolean>
  /** Builds and tags. Has no deadline. BUILD_FAILED, as a `BuildFailure`. */
  buildImage(request: BuildRequest, options?: CallOptions): Promise<void>
  /**
   * Streams images as an archive that `loadImages` and `docker load` accept. Each reference needs a tag: an engine saves all
   * tags of a name without one. Has no deadline. NOT_FOUND.
   */
  saveImages(references: readonly string[], options?: CallOptions): AsyncIterable<Uint8Array>
  /**
   * Loads the images of an archive, which is read once. Returns their names, or the ids of images without one. Has no
   * deadline. The archive's own error is what the call rejects with. ARCHIVE_UNUSABLE.
   */
  loadImages(archive: Readable, options?: CallOptions): Promise<readonly string[]>
  /** No error if it does not exist. ENGINE_REFUSED when a container uses it. */
  removeImage(reference: string, options?: CallOptions): Promise<void>

  /** Returns the engine's events of containers with these labels, between two times in the past. */
  readEvents(labels: Labels, range: EventRange, options?: CallOptions): Promise<readonly unknown[]>

  /**
   * Follows what happens to containers with these labels, in order. Has no deadline. ENGINE_LOST when the engine goes: what
   * happened until it was back can be lost. Of the past, an engine remembers only some: Docker its last 256 events.
   */
  followEvents(labels: Labels, range: FollowRange, options?: CallOptions): AsyncIterable<ContainerEvent>

  /** Closes idle connections. */
  close(): void
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Limits one answer, all tries together. Each verb has a default, which TESTFLEET_ENGINE_TIMEOUT scales. */
  readonly timeoutMs?: number | undefined
}

export interface EngineLocation {
  /** URL of the engine, such as `unix:///var/run/docker.sock`, or `local:/var/lib/testfleet/local`. */
  readonly url: string
  /** Source of the URL: `--engine`, `DOCKER_HOST`, `context "x" of DOCKER_CONTEXT`, `default socket` … */
  readonly because: string
  /** Name or address of the engine's machine; undefined when it is this machine and shares its loopback. */
  readonly remoteHost: string | undefined
  readonly endpoint: EngineEndpoint
  /** URLs of the sockets that were searched, in order; undefined when the engine was named. */
  readonly candidates?: readonly string[]
  /** The container engine that did not answer, and why, when this is the local engine because of that. */
  readonly insteadOf?: string | undefined
  /** Why the local engine was not used instead; undefined when that was no question. */
  readonly localProblem?: string | undefined
}

/** Location of an engine to connect to. */
export interface RemoteLocation extends EngineLocation {
  readonly endpoint: RemoteEndpoint
}

export interface EngineVersion {
  /** Name of the product, such as `Docker Engine` or `Podman Engine`. */
  readonly product: string
  readonly version: string
  /** The version of the API that testfleet uses. */
  readonly api: string
  /** The newest and the oldest version of the API that the engine knows. */
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

export type PathStat =
  /** A file, or what is neither file, folder nor link. */
  | { readonly kind: 'folder' | 'file' }
  /** `target` is where the link leads in the end, as an absolute path of the container; nothing may be there. */
  | { readonly kind: 'link'; readonly target: string }

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

/** How a copied container differs from the other one. */
export interface ContainerCopy {
  readonly name: string
  readonly image: string
  /** Added to its labels. */
  readonly labels: Labels
  /** Ports of the host that it gets where the engine has chosen those of the other one. */
  readonly published: readonly PublishedPort[]
}

/** Range of time, in milliseconds since 1970. */
export interface EventRange {
  readonly fromMs: number
  readonly toMs: number
}

export interface LogRequest {
  readonly follow: boolean
  readonly tail?: number
  readonly timestamps?: boolean
  /** Only what was written since then, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined
}

export interface ExecRequest {
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly user?: string
  readonly workingDir?: string
  /** Whether standard input stays open for `ExecProcess.write`. */
  readonly stdin?: boolean
  /** Size of a terminal for the command; all output is then stdout. */
  readonly tty?: { readonly rows: number; readonly columns: number } | undefined
}

export interface ExecProcess {
  /** Can be read once. COMMAND_NOT_FOUND when the engine reports it only here. */
  readonly output: AsyncIterable<OutputChunk>
  /**
   * Resolves once `output` has ended; drops output that nobody has begun to read. Fails as `output` does, and with
   * ENGINE_LOST when the output has ended and the command has not.
   */
  exitCode(): Promise<number>
  /**
   * Only with `stdin`. Resolves when the command is ready for more input, so that a caller that waits keeps nothing in
   * memory, or when the connection has ended. Input after the end is dropped.
   */
  write(bytes: Uint8Array): Promise<void>
  endInput(): void
  resize(rows: number, columns: number): Promise<void>
}
