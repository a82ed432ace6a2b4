import type { BakeParts } from './bake.ts'
import type { FieldPath, ImageRecipe, Server } from './fleet.ts'
import type { PackageVersions } from './labels.ts'
import type { ServerSpec } from './session.ts'

/** The desired state of a session: every server with the image and the digest that it must have. */
export interface Desired {
  readonly session: string
  readonly servers: ReadonlyMap<string, DesiredServer>
  /** Whether `servers` is the whole fleet. Servers that the fleet no longer declares are then removed. */
  readonly isWholeFleet: boolean
  /** Whether the record must be stored even if no server changes, as when the session gets an end. */
  readonly isRecordNew: boolean
}

export interface DesiredServer {
  readonly server: Server
  readonly image: DesiredImage
  /** Digest of everything that its container is created from. */
  readonly digest: string
  /** What the session's record must say about it. */
  readonly spec: ServerSpec
  /** Whether files must be put into its container before it starts. */
  readonly needsFiles: boolean
}

export type DesiredImage =
  | {
      readonly kind: 'named'
      readonly reference: string
      readonly platform: string | undefined
      readonly isPresent: boolean
    }
  | { readonly kind: 'built'; readonly build: PreparedBuild }
  | { readonly kind: 'baked'; readonly bake: PreparedBake }
  /** Of a server that does not run in a container. */
  | { readonly kind: 'none' }

export interface PreparedImage {
  readonly desired: DesiredImage
  /** Tells this image from another one of the same name. */
  readonly identity: string
}

/** A recipe whose content has been read, so that the image's name is known. */
export interface PreparedBuild {
  readonly recipe: ImageRecipe
  readonly digest: string
  readonly reference: string
  /** Whether the tag is final. It is not while the engine lacks the image at its base. */
  readonly isNamed: boolean
  readonly isPresent: boolean
  /** The image that it is based on, when that is built too. */
  readonly base: PreparedBuild | undefined
  readonly content: BuildContent
  /** Paths of sockets, pipes and devices in copied folders, which were left out. */
  readonly leftOut: readonly string[]
}

/** The image of a server's ready state, whose name is known once everything that leads to it is. */
export interface PreparedBake {
  readonly server: string
  readonly digest: string
  readonly reference: string
  /** Whether the tag is final. It is not while the engine lacks an image that leads to it. */
  readonly isNamed: boolean
  readonly isPresent: boolean
  readonly parts: BakeParts
  /** Why it has to be baked; empty if it is present. */
  readonly reason: string
  /** The images, before they are baked, of the server and of everything that it depends on. */
  readonly from: readonly { readonly server: string; readonly image: DesiredImage }[]
}

/** Everything that is sent to the engine for a build. */
export type BuildContent =
  | {
      readonly kind: 'dockerfile'
      readonly dockerfile: string
      readonly dockerfilePath: string
      readonly entries: readonly ContextEntry[]
    }
  | {
      readonly kind: 'steps'
      /** The image to start from. */
      readonly base: string
      readonly from: PreparedStep
      /** Steps before the copies: variables and packages. */
      readonly before: PreparedLines
      readonly copies: readonly PreparedCopy[]
      /** Steps after the copies. */
      readonly after: PreparedLines
    }

export interface PreparedLines {
  /** Lines of a Dockerfile. */
  readonly lines: readonly string[]
  /** Lines that give an equal image, for a builder that keeps downloads in a cache; undefined when they are the same. */
  readonly cachingLines?: readonly string[]
  /** The lines that the engine counts as steps, in their order. */
  readonly steps: readonly PreparedStep[]
}

/** An item of `copy`, as it is on this machine. Its target is known once the image exists. */
export interface PreparedCopy {
  readonly step: PreparedStep
  /** `name` is the file's own name, which it keeps in a folder. */
  readonly source: { readonly kind: 'folder' | 'content' } | { readonly kind: 'file'; readonly name: string }
  readonly to: string
  readonly owner: string | undefined
  /** Modification time that the user wants for its files, in seconds since 1970. */
  readonly modifiedAtS: number | undefined
  /** For a folder, also its content, with paths relative to it; parents come first. */
  readonly entries: readonly ContextEntry[]
}

export interface PreparedStep {
  /** In the words of the fleet file, such as `packages apache2`. */
  readonly title: string
  /** The item of the fleet file that declares it. */
  readonly at: FieldPath
}

/** Numeric ids, as a container stores its users. Without one, a file belongs to root. */
export interface FileOwner {
  readonly uid: number
  readonly gid: number
}

/** One member of an archive, such as a build context. */
export type ContextEntry = {
  /** Relative, with slashes. */
  readonly path: string
  readonly mode: number
  readonly owner?: FileOwner
  /** Modification time, in seconds since 1970. Default: one fixed time for all. */
  readonly modifiedAtS?: number
} & (
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'text'; readonly text: string }
  /**
   * `source` has no links in it, and is in one of `roots`. `digest` is the SHA-256, in hex, of what the file held when it
   * was read for the image's digest.
   */
  | {
      readonly kind: 'file'
      readonly source: string
      readonly roots: readonly string[]
      readonly sizeBytes: number
      readonly digest: string
    }
  /** A tar archive of other entries. */
  | { readonly kind: 'archive'; readonly entries: readonly ContextEntry[] }
)

/** One operation with one effect. `needs` are the ids of the operations that must be done before it. */
export type Operation = { readonly id: string; readonly needs: readonly string[] } & (
  | {
      readonly kind: 'pullImage'
      readonly reference: string
      readonly platform: string | undefined
      readonly servers: readonly string[]
    }
  | {
      readonly kind: 'buildImage'
      readonly build: PreparedBuild
      readonly references: readonly string[]
      readonly servers: readonly string[]
    }
  /** Starts a server in a session of its own, and saves its ready state as an image. */
  | {
      readonly kind: 'bakeImage'
      readonly bake: PreparedBake
      readonly reference: string
      readonly servers: readonly string[]
      readonly reason: string
    }
  | { readonly kind: 'createNetwork' }
  | { readonly kind: 'createVolume'; readonly volume: string }
  /** Sets a server aside: its container is kept, stopped, until the new one is ready, so that it can be put back. */
  | { readonly kind: 'stopServer'; readonly server: string; readonly container: string; readonly reason: string }
  | { readonly kind: 'createServer'; readonly server: string }
  /** Puts secrets and certificates into a container that has not started. */
  | { readonly kind: 'deliverFiles'; readonly server: string }
  /** Runs the server's commands of this list. `commands` are for people to read. */
  | {
      readonly kind: 'runHooks'
      readonly server: string
      readonly hook: 'preStart' | 'postStart'
      readonly commands: readonly string[]
    }
  | {
      readonly kind: 'startServer'
      readonly server: string
      readonly reason: string
      /** URL, without the password, of an external server: it is used, and not started. */
      readonly external?: string | undefined
    }
  /** Starts the container that a server has, after a call has stopped or paused it. */
  | {
      readonly kind: 'resumeServer'
      readonly server: string
      readonly container: string
      readonly wasPaused: boolean
      readonly reason: string
    }
  | { readonly kind: 'awaitReady'; readonly server: string }
  /** Waits until a server that is kept as it is is ready. */
  | { readonly kind: 'keepServer'; readonly server: string; readonly container: string; readonly isCompleted: boolean }
  /** Stores the new state of the session: the servers that were started, and changed specs of those that are kept. */
  | { readonly kind: 'saveRecord'; readonly updates: readonly ServerUpdate[] }
  /** Removes for good what was set aside. */
  | { readonly kind: 'removeServer'; readonly server: string; readonly container: string; readonly reason: string }
  /** Only in an undo: removes what the change had created. */
  | { readonly kind: 'removeNetwork'; readonly network: string }
  | { readonly kind: 'removeVolume'; readonly volume: string }
  /** Only in an undo: restarts a server that was set aside. */
  | { readonly kind: 'putBack'; readonly server: string; readonly container: string }
  /** Only in an undo: stops or pauses again a server that the change had resumed. */
  | { readonly kind: 'haltServer'; readonly server: string; readonly container: string; readonly wasPaused: boolean }
)

/** A server whose container is kept and whose record changes. */
export interface ServerUpdate {
  readonly server: string
  readonly reason: string
}

export type OperationKind = Operation['kind']
export type OperationOf<Kind extends OperationKind> = Extract<Operation, { kind: Kind }>

/** An existing image that a server of the plan uses. */
export interface PlannedImage {
  readonly reference: string
  readonly packages: PackageVersions
  /** The server whose ready state it is; omitted for an image that was not baked. */
  readonly bakedFor?: string | undefined
}

export interface Plan {
  /** Name of the session. */
  readonly session: string
  /** Each after everything that it needs. */
  readonly operations: readonly Operation[]
}
