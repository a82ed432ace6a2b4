import type { Device } from '../formats/device.ts'
import type { Protocol } from '../formats/port-range.ts'
import type { Limits, Port, Tmpfs, Ulimit } from './fleet.ts'
import type { Labels } from './labels.ts'
import type { NamedServer } from './running.ts'

/** How long a server has to obey its stop signal, in milliseconds. An engine counts whole seconds. */
export const stopGrace = { shortestMs: 1000, defaultMs: 10_000, longestMs: 600_000 } as const

/** A container to create, in terms that every engine supports. */
export interface ContainerSpec {
  readonly name: string
  readonly image: string
  /**
   * Set for a server without a container: a program of this machine, and the folder in which it runs. `environment` is then
   * all of its variables, and what belongs to a container has no meaning.
   */
  readonly process?: ProcessSpec | undefined
  readonly platform?: string | undefined
  readonly hostname: string
  readonly command?: readonly string[] | undefined
  readonly entrypoint?: readonly string[] | undefined
  readonly user?: string | undefined
  readonly workingDir?: string | undefined
  readonly dns?: readonly string[] | undefined
  readonly devices?: readonly Device[] | undefined
  readonly tty?: boolean | undefined
  /** How many times the engine restarts it when it ends with an error. */
  readonly restarts?: number | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly labels: Labels
  readonly init: boolean
  readonly stopSignal?: string | undefined
  /** How long the engine waits after that signal when someone stops the container by hand. */
  readonly stopGraceMs?: number | undefined
  readonly ports: readonly PortBinding[]
  readonly network: { readonly name: string; readonly aliases: readonly string[] }
  readonly extraHosts: Readonly<Record<string, string>>
  readonly mounts: readonly ContainerMount[]
  readonly tmpfs: readonly Tmpfs[]
  readonly readOnly: boolean
  readonly limits: Limits
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly privileged: boolean
  /** Whether its programs may gain rights that their caller lacks. */
  readonly newPrivileges: boolean
  readonly sysctls: Readonly<Record<string, string>>
  readonly ulimits: Readonly<Record<string, Ulimit>>
  /** Where an external server is: nothing is created. */
  readonly external?: readonly PublishedPort[] | undefined
}

/** A program of this machine. */
export interface ProcessSpec {
  readonly command: readonly string[]
  readonly folder: string
  /** Undefined for a program that knows no server by name. */
  readonly names?: ProgramNames | undefined
}

/** The servers that a program reaches by their names. */
export interface ProgramNames {
  /** Domain of the fleet. */
  readonly domain: string
  readonly servers: readonly NamedServer[]
  /** Module that Node loads when only a hook can resolve the names. */
  readonly nodeHookFile: string
  readonly groupId: number | undefined
}

/** A container with nothing set besides its name, image and network. */
export const plainContainer: Omit<ContainerSpec, 'name' | 'image' | 'hostname' | 'network' | 'labels'> = {
  environment: {},
  init: false,
  ports: [],
  extraHosts: {},
  mounts: [],
  tmpfs: [],
  readOnly: false,
  limits: {},
  capAdd: [],
  capDrop: [],
  privileged: false,
  newPrivileges: false,
  sysctls: {},
  ulimits: {},
}

/** A port, and the address on the engine's machine where it listens. */
export interface PortBinding extends Port {
  readonly address: string
}

export type ContainerMount = { readonly to: string; readonly writable: boolean } & (
  | { readonly kind: 'bind'; readonly from: string }
  /** A named volume. It lives until it is removed by name. */
  | { readonly kind: 'volume'; readonly volume: string }
  /** An anonymous volume. It is removed with its container. */
  | { readonly kind: 'ownVolume'; readonly labels: Labels }
)

export type ContainerState = 'created' | 'running' | 'paused' | 'exited'

export interface ContainerSummary {
  readonly id: string
  readonly name: string
  /** The engine's id of the image that the container was created from. */
  readonly imageId: string
  /** The image reference that the container was created with. */
  readonly image: string
  readonly state: ContainerState
  /** Whether it has ended and is about to be restarted. Its state is then `running`. */
  readonly isRestarting?: boolean | undefined
  readonly labels: Labels
  /** Milliseconds since 1970 by the engine's clock, as every time here. */
  readonly createdAtMs: number
  readonly networks: readonly ContainerNetwork[]
  readonly published: readonly PublishedPort[]
}

export interface ContainerDetails extends ContainerSummary {
  /** The user that its program runs as, as Docker writes it; empty for root. */
  readonly user: string
  /** Its variables, with those of its image. */
  readonly environment: Readonly<Record<string, string>>
  /** Everything that is mounted in it, except memory (tmpfs). */
  readonly mounts: readonly MountedPath[]
  /** Exit code of the last run, also while it waits to be restarted; undefined while it runs or before it ran. */
  readonly exitCode: number | undefined
  readonly isOutOfMemory: boolean
  /** Process id of its first process on the engine's machine, or undefined while it does not run. */
  readonly processId?: number | undefined
  /** Memory limit, or undefined when it has none. */
  readonly memoryBytes: number | undefined
  /** How many times the engine has restarted it. */
  readonly restarts: number
  /** Whether it has ended and the engine is about to restart it. Its state is then `running`. */
  readonly isRestarting: boolean
  /** When its last run began; zero before the first run. */
  readonly startedAtMs: number
  /** End of its last run that has ended; zero when none has. */
  readonly endedAtMs: number
  /** The engine's explanation why it could not start; otherwise empty. */
  readonly error: string
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** The engine's whole answer, for people to read. */
  readonly raw: unknown
}

export interface MountedPath {
  readonly to: string
  /** `ownVolume`: an anonymous volume, which is removed with its container. */
  readonly kind: ContainerMount['kind']
  readonly writable: boolean
}

export interface ContainerNetwork {
  readonly name: string
  readonly networkId: string
  /** Empty while the container does not run. */
  readonly ip: string
  readonly gateway: string
}

export interface PublishedPort {
  readonly container: number
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
}

export type OutputStream = 'stdout' | 'stderr'

export interface OutputChunk {
  readonly stream: OutputStream
  readonly bytes: Uint8Array
}

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}
