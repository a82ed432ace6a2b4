import type { AuthorityRecord } from './certificate.ts'
import type { FieldPath, ImageRecipe, Server } from './fleet.ts'
import type { PackageVersions } from './labels.ts'

/** What a session shall look like: every server with the image and the digest that it must have. */
export interface Desired {
  readonly session: string
  readonly servers: ReadonlyMap<string, DesiredServer>
  /** Whether `servers` is the whole fleet: then a server that the fleet no longer has is removed. */
  readonly isWholeFleet: boolean
}

export interface DesiredServer {
  readonly server: Server
  readonly image: DesiredImage
  /** Of all that its container is made from. */
  readonly digest: string
  /** The fleet's certificate authority; undefined for a fleet without certificates. */
  readonly authority: AuthorityRecord | undefined
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
}

/** All that goes to the engine for a build. */
export interface BuildContent {
  readonly dockerfile: string
  /** The Dockerfile's path in the context. */
  readonly dockerfilePath: string
  readonly entries: readonly ContextEntry[]
  /** The steps in the order in which the engine counts them, which starts with FROM. Empty for a Dockerfile of the user's own. */
  readonly steps: readonly PreparedStep[]
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

/** One member of a build context. `path` is relative, with slashes. */
export type ContextEntry = { readonly path: string; readonly mode: number; readonly owner?: FileOwner } & (
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
)

/** What a session looks like now. */
export interface Observed {
  readonly networkId: string | undefined
  readonly volumes: readonly string[]
  readonly servers: ReadonlyMap<string, ObservedServer>
}

export interface ObservedServer {
  readonly name: string
  readonly containerId: string
  readonly digest: string
  readonly state: 'running' | 'stopped' | 'completed'
  /** The certificate authority that it was given. */
  readonly authority: AuthorityRecord | undefined
  readonly stopSignal: string | undefined
  /** Secrets from outside whose value is no longer the one that it was given. */
  readonly changedSecrets: readonly string[]
}

/** One thing to do. `needs` are the ids of what must have been done before. */
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
  | {
      readonly kind: 'removeServer'
      readonly server: string
      readonly containerId: string
      readonly stopSignal: string | undefined
      readonly reason: string
    }
  | { readonly kind: 'startServer'; readonly server: string; readonly reason: string }
  | {
      readonly kind: 'keepServer'
      readonly server: string
      readonly containerId: string
      readonly isCompleted: boolean
    }
)

export type OperationKind = Operation['kind']
export type OperationOf<Kind extends OperationKind> = Extract<Operation, { kind: Kind }>

/** An image that is there and that a server of the plan uses. */
export interface PlannedImage {
  readonly reference: string
  readonly packages: PackageVersions
}

export interface Plan {
  readonly session: string
  /** Each after all that it needs. */
  readonly operations: readonly Operation[]
}
