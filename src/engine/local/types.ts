import type { ContainerSpec, PublishedPort } from '../../model/container.ts'
import type { Labels } from '../../model/labels.ts'
import type { Machine } from './programs.ts'
import type { Store } from './store.ts'

/** What every verb of the local engine works with. */
export interface Local {
  readonly store: Store
  readonly machine: Machine
  /** Returns the name of the OCI runtime that works here: `runc` or `crun`. ENGINE_REFUSED when there is none. */
  runtime(): Promise<string>
  /** Set in the namespaces of an ordinary user, where a port has to be led in from this machine. */
  readonly forwards?: Forwards | undefined
}

/** Ports of this machine that lead to the same ports of a user's namespaces. */
export interface Forwards {
  /** Takes a port. PORT_TAKEN, START_FAILED. */
  add(port: PublishedPort): Promise<void>
  /** No error if they are free. */
  remove(ports: readonly PublishedPort[]): Promise<void>
}

/**
 * `containers/<id>/container.json`. Its state is not in it: it follows from the files next to it, and from whether its
 * process lives.
 */
export interface ContainerRecord {
  readonly id: string
  /** Changes when it is renamed. */
  readonly name: string
  readonly spec: ContainerSpec
  readonly imageId: string
  readonly createdAtMs: number
  readonly labels: Labels
  /** Folders of its own volumes, by the path at which they are mounted. */
  readonly ownVolumes: Readonly<Record<string, string>>
}

/** `containers/<id>/network.json`, written when it starts: where the container is in its network. */
export interface Attachment {
  readonly networkId: string
  readonly networkName: string
  /** Path of the network namespace that its processes join. */
  readonly namespace: string
  /** Name of its interface on the machine. */
  readonly outside: string
  readonly ip: string
  readonly gateway: string
  readonly published: readonly PublishedPort[]
}

/** `images/<id without sha256:>.json`: an image. Layers are shared by images. */
export interface ImageRecord {
  /** `sha256:` and 64 digits. */
  readonly id: string
  readonly createdAtMs: number
  /** Ids of layers, the lowest first. Each is a folder of the store, in the format of overlayfs. */
  readonly layers: readonly string[]
  readonly config: ImageConfig
  readonly sizeBytes: number
  readonly architecture: string
}

/** What containers of an image get, in Docker's words. */
export interface ImageConfig {
  readonly user?: string
  readonly environment: readonly string[]
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly workingDir?: string
  readonly labels: Labels
  readonly volumes: readonly string[]
  readonly exposed: readonly string[]
  readonly stopSignal?: string
  readonly shell?: readonly string[]
}
