/** The labels by which everything on an engine is known to be ours, and whose. */
export const label = {
  session: 'dev.testfleet.session',
  fleet: 'dev.testfleet.fleet',
  domain: 'dev.testfleet.domain',
  server: 'dev.testfleet.server',
  /** Of all that a container was made from: a container with another digest is out of date. */
  digest: 'dev.testfleet.digest',
  /** What later calls need to know of a running server, as JSON (`RunningSpec`). */
  spec: 'dev.testfleet.spec',
  /** The id of the lease under which it was made. */
  lease: 'dev.testfleet.lease',
  /** Of a lease's volume: what the lease is for. */
  leaseKind: 'dev.testfleet.lease-kind',
  /** Of a lease's volume: who keeps it alive, as JSON (`Holder`). */
  holder: 'dev.testfleet.holder',
  /** Who made it: user@host. */
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
