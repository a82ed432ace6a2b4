import type { Readable } from 'node:stream'
import type { Labels } from '../model/labels.ts'

export interface ImageDetails {
  readonly id: string
  /** Names of the image in registries, such as `debian@sha256:…`. Empty for an image that came from no registry. */
  readonly repositoryDigests: readonly string[]
  /** Time of creation; 0 when unknown. */
  readonly createdAtMs: number
  /** Time when it last got a name, else when it was created: a fully cached build has the creation time of its cache. */
  readonly namedAtMs: number
  readonly sizeBytes: number
  readonly labels: Labels
  /** Default user of its containers; empty for root. */
  readonly user: string
  /** Default variables of its containers. */
  readonly environment: Readonly<Record<string, string>>
}

export interface ImageSummary {
  readonly id: string
  readonly createdAtMs: number
  readonly references: readonly string[]
  readonly labels: Labels
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
  /** References of the new image; at least one. */
  readonly tags: readonly string[]
  readonly labels: Labels
  /** Path of the Dockerfile in the context. */
  readonly dockerfile: string
  /** The Dockerfile itself, whose steps are then numbered through all stages; else each stage has its own numbers. */
  readonly dockerfileText?: string
  readonly target?: string | undefined
  readonly args?: Readonly<Record<string, string>>
  readonly platform?: string | undefined
  /** A tar archive; read once. */
  readonly context: Readable
  onProgress?(progress: BuildProgress): void
}

/** Progress of a build. A step may be reported twice: when it begins, and when it turns out to be cached. */
export type BuildProgress =
  /** `step` counts FROM, COPY, ADD, RUN and WORKDIR from 1; undefined outside of the numbered steps. */
  | {
      readonly kind: 'step'
      readonly step: number | undefined
      readonly total: number | undefined
      readonly text: string
      readonly isCached: boolean
    }
  | { readonly kind: 'output'; readonly line: string }
