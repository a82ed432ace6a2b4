import type { Lost } from './finding.ts'

/** A program that the local engine needs. */
export interface NeededProgram {
  /** One of these is enough. */
  readonly names: readonly string[]
  /** Package of Debian and Ubuntu. */
  readonly package: string
  readonly loses: Lost
  readonly neededBy: 'everybody' | 'ordinaryUsers'
}

/** Every program that the local engine starts, in the order of their use. */
export const neededPrograms: readonly NeededProgram[] = [
  { names: ['runc', 'crun'], package: 'runc', loses: 'engine', neededBy: 'everybody' },
  { names: ['conmon'], package: 'conmon', loses: 'engine', neededBy: 'everybody' },
  { names: ['tini-static'], package: 'tini', loses: 'engine', neededBy: 'everybody' },
  { names: ['mount'], package: 'mount', loses: 'engine', neededBy: 'everybody' },
  { names: ['nsenter'], package: 'util-linux', loses: 'engine', neededBy: 'everybody' },
  { names: ['unshare'], package: 'util-linux', loses: 'engine', neededBy: 'everybody' },
  { names: ['ip'], package: 'iproute2', loses: 'engine', neededBy: 'everybody' },
  { names: ['nft'], package: 'nftables', loses: 'engine', neededBy: 'everybody' },
  { names: ['newuidmap'], package: 'uidmap', loses: 'owners', neededBy: 'ordinaryUsers' },
  { names: ['newgidmap'], package: 'uidmap', loses: 'owners', neededBy: 'ordinaryUsers' },
  { names: ['slirp4netns'], package: 'slirp4netns', loses: 'network', neededBy: 'ordinaryUsers' },
  { names: ['dnsmasq'], package: 'dnsmasq-base', loses: 'nameServer', neededBy: 'everybody' },
  { names: ['mmdebstrap'], package: 'mmdebstrap', loses: 'baseImages', neededBy: 'everybody' },
]
