/** The labels by which everything on an engine is known to be testfleet's, and whose. None of them ever changes. */
export const label = {
  /** The id of the session that it belongs to. */
  session: 'dev.testfleet.session',
  fleet: 'dev.testfleet.fleet',
  server: 'dev.testfleet.server',
  /** Of a volume: its name in the fleet file. */
  volume: 'dev.testfleet.volume',
  /** Of all that a container was made from: a container with another digest is out of date. */
  digest: 'dev.testfleet.digest',
  /** Of a container that is stopped before it is removed: the signal that its fleet file names. */
  stopSignal: 'dev.testfleet.stop-signal',
  /** Of a container whose fleet file names it: how long it then has, in milliseconds. */
  stopGrace: 'dev.testfleet.stop-grace',
  /** The id of the change that created it; empty on an image that is complete. */
  change: 'dev.testfleet.change',
  /** Of a volume that stores a session's record: the record, as JSON (`SessionRecord`). */
  record: 'dev.testfleet.record',
  /** Of the same: a random text that tells which call wrote it. */
  writer: 'dev.testfleet.writer',
  /** Who created it: user@host. */
  owner: 'dev.testfleet.owner',
  /** Of an image: the packages that were asked for, with the versions that were installed, as JSON (`PackageVersions`). */
  packages: 'dev.testfleet.packages',
  /** Of an image: the named image that it stands on, as JSON (`BaseRecord`). */
  base: 'dev.testfleet.base',
} as const

export type Labels = Readonly<Record<string, string>>

/** Packages by name, with the versions that are installed. */
export type PackageVersions = Readonly<Record<string, string>>

/** The named image that an image stands on. */
export interface BaseRecord {
  readonly reference: string
  /** The engine's id of the image. */
  readonly id: string
  /** The registry's digest of the image, such as `sha256:…`. Left out for an image that came from no registry. */
  readonly digest?: string
}
