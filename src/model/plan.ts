import type { FieldPath, ImageRecipe, Server } from './fleet.ts'
import type { PackageVersions } from './labels.ts'
import type { ServerSpec } from './session.ts'

/** What a session shall look like: every server with the image and the digest that it must have. */
export interface Desired {
  readonly session: string
  readonly servers: ReadonlyMap<string, DesiredServer>
  /** Whether `servers` is the whole fleet: then a server that the fleet no longer has is removed. */
  readonly isWholeFleet: boolean
  /** Whether the record has to be stored even if no server changes, as when the session gets an end. */
  readonly isRecordNew: boolean
}

export interface DesiredServer {
  readonly server: Server
  readonly image: DesiredImage
  /** Of all that its container is made from. */
  readonly digest: string
  /** What the session's record shall say of it. */
  readonly spec: ServerSpec
  /** Whether files have to be put into its container before it starts. */
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

export interface PreparedImage {
  readonly desired: DesiredImage
  /** What tells this image from another one of the same name. */
  readonly identity: string
}

/** A recipe whose content has been read: what its image is called is known from it. */
export interface PreparedBuild {
  readonly recipe: ImageRecipe
  readonly digest: string
  readonly reference: string
  /** Whether the tag is final: it is not as long as the engine lacks the image that all of it stands on. */
  readonly isNamed: boolean
  readonly isPresent: boolean
  /** The image below it, when that is built too. */
  readonly base: PreparedBuild | undefined
  readonly content: BuildContent
  /** What is in copied folders and was left out: paths of sockets, pipes and devices. */
  readonly leftOut: readonly string[]
}

/** All that goes to the engine for a build. */
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
      /** What comes before the copies: variables and packages. */
      readonly before: PreparedLines
      readonly copies: readonly PreparedCopy[]
      /** What comes after them. */
      readonly after: PreparedLines
    }

export interface PreparedLines {
  /** Lines of a Dockerfile. */
  readonly lines: readonly string[]
  /** Those of them that the engine counts as steps, in their order. */
  readonly steps: readonly PreparedStep[]
}

/** An item of `copy`, as it is on this machine; where it arrives is known once the image is there. */
export interface PreparedCopy {
  readonly step: PreparedStep
  /** `name` is the file's own, which it keeps in a folder. */
  readonly source: { readonly kind: 'folder' | 'content' } | { readonly kind: 'file'; readonly name: string }
  readonly to: string
  readonly owner: string | undefined
  /** The time that the user wants its files to have, in seconds since 1970. */
  readonly modifiedAtS: number | undefined
  /** Of a folder, also what is in it, with paths that are relative to it; parents come first. */
  readonly entries: readonly ContextEntry[]
}

export interface PreparedStep {
  /** In the words of the fleet file, such as `packages apache2`. */
  readonly title: string
  /** What in the fleet file asked for it. */
  readonly at: FieldPath
}

/** Numbers, as a container knows its users; without one, a file is root's. */
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
  /** When it was changed last, in seconds since 1970. Default: one time for all. */
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

/** What a session looks like now. */
export interface Observed {
  readonly hasNetwork: boolean
  readonly volumes: readonly string[]
  readonly servers: ReadonlyMap<string, ObservedServer>
}

export interface ObservedServer {
  readonly name: string
  readonly container: string
  readonly digest: string
  readonly state: 'running' | 'stopped' | 'completed'
  /** What the session's record says of it. */
  readonly spec: ServerSpec
  /** Secrets from outside whose value is no longer the one that it was given. */
  readonly changedSecrets: readonly string[]
}

/** One thing to do, with one effect. `needs` are the ids of what must have been done before. */
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
  | { readonly kind: 'createNetwork' }
  | { readonly kind: 'createVolume'; readonly volume: string }
  /** Sets a server aside: its container stays, stopped, until the new one is ready, and can be put back until then. */
  | { readonly kind: 'stopServer'; readonly server: string; readonly container: string; readonly reason: string }
  | { readonly kind: 'createServer'; readonly server: string }
  /** Puts secrets and certificates into a container that has not started. */
  | { readonly kind: 'deliverFiles'; readonly server: string }
  | { readonly kind: 'startServer'; readonly server: string; readonly reason: string }
  | { readonly kind: 'awaitReady'; readonly server: string }
  /** Waits until a server that stays as it is is ready. */
  | { readonly kind: 'keepServer'; readonly server: string; readonly container: string; readonly isCompleted: boolean }
  /** Stores what the session is now: the servers that were started, and what has changed about those that stay. */
  | { readonly kind: 'saveRecord'; readonly updates: readonly ServerUpdate[] }
  /** Removes for good what was set aside. */
  | { readonly kind: 'removeServer'; readonly server: string; readonly container: string; readonly reason: string }
  /** Of an undo alone: removes what the change had created. */
  | { readonly kind: 'removeNetwork'; readonly network: string }
  | { readonly kind: 'removeVolume'; readonly volume: string }
  /** Of an undo alone: starts again a server that was set aside. */
  | { readonly kind: 'putBack'; readonly server: string; readonly container: string }
)

/** A server whose container stays, and what its record says anew. */
export interface ServerUpdate {
  readonly server: string
  readonly reason: string
}

export type OperationKind = Operation['kind']
export type OperationOf<Kind extends OperationKind> = Extract<Operation, { kind: Kind }>

/** An image that is there and that a server of the plan uses. */
export interface PlannedImage {
  readonly reference: string
  readonly packages: PackageVersions
}

export interface Plan {
  /** The session's name. */
  readonly session: string
  /** Each after all that it needs. */
  readonly operations: readonly Operation[]
}
