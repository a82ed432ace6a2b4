export type Protocol = 'tcp' | 'udp' | 'sctp'

/** One port, or a range of them, as `80`, `53/udp`, `30000-30009` or `30000-30009/udp` says it. */
export interface PortRange {
  readonly first: number
  readonly last: number
  readonly protocol: Protocol | undefined
}

/** Each port of a range costs the engine a process. */
export const MOST_PORTS = 1000

/** Undefined for what is no port or range: then it is not written so, is no number of a port, or has too many. */
export function readPortRange(text: string | number): PortRange | undefined {
  const [, from, to = from, protocol] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(String(text)) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (!(first >= 1 && last >= first && last <= 65535 && last - first < MOST_PORTS)) return undefined
  return { first, last, protocol: protocol as Protocol | undefined }
}
