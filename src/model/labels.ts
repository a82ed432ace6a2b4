/** The labels that mark everything of testfleet on an engine, and its owner. Their values never change. */
export const label = {
  /** Id of the session that owns it. */
  session: 'dev.testfleet.session',
  fleet: 'dev.testfleet.fleet',
  server: 'dev.testfleet.server',
  /** On a volume: its name in the fleet file. */
  volume: 'dev.testfleet.volume',
  /** Digest of everything that a container is created from. A container with another digest is out of date. */
  digest: 'dev.testfleet.digest',
  /** On a container that is stopped before it is removed: the stop signal from its fleet file. */
  stopSignal: 'dev.testfleet.stop-signal',
  /** On a container whose fleet file sets it: its grace period, in milliseconds. */
  stopGrace: 'dev.testfleet.stop-grace',
  /** On a container with commands to run before it stops: these commands (`readPreStop`). */
  preStop: 'dev.testfleet.pre-stop',
  /** Id of the change that created it; empty on an image that is complete. */
  change: 'dev.testfleet.change',
  /** On a volume that stores a session's record: the record, as JSON (`SessionRecord`). */
  record: 'dev.testfleet.record',
  /** On the same volume: a random text that identifies the call that wrote it. */
  writer: 'dev.testfleet.writer',
  /** On an image: the name of the snapshot that it is. */
  snapshot: 'dev.testfleet.snapshot',
  /** On a container that was started from a snapshot: the image of the server's first container. */
  pristine: 'dev.testfleet.pristine',
  /** Who created it: user@host. */
  owner: 'dev.testfleet.owner',
  /** On an image: the requested packages with their installed versions, as JSON (`PackageVersions`). */
  packages: 'dev.testfleet.packages',
  /** On an image: the named image that it is based on, as JSON (`BaseRecord`). */
  base: 'dev.testfleet.base',
  /** On a baked image: a digest for each part that it is made from, as JSON (`BakeParts`). */
  bake: 'dev.testfleet.bake',
} as const

export type Labels = Readonly<Record<string, string>>

/** Installed versions by package name. */
export type PackageVersions = Readonly<Record<string, string>>

/** The named image that an image is based on. */
export interface BaseRecord {
  readonly reference: string
  /** The engine's id of the image. */
  readonly id: string
  /** The registry's digest of the image, such as `sha256:…`; omitted for an image that came from no registry. */
  readonly digest?: string
}
