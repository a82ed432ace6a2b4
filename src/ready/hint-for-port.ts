import type { ReadyCheck } from '../model/fleet.ts'
import type { Listener, PortListener } from './find-listeners.ts'

export const RAISE = 'raise `readyTimeout` if it only needs longer'

type PortCheck = ReadyCheck & { readonly port: number }

const overUdp: ReadonlySet<string> = new Set<ReadyCheck['kind']>([
  ...(['coap', 'dns', 'kerberos', 'ntp', 'radius'] as const),
  ...(['sip', 'snmp', 'stun', 'tftp'] as const),
])

export function isOverUdp(kind: string): boolean {
  return overUdp.has(kind)
}

/** Returns whether something listens at the port of the check, even if only programs in the server can reach it. */
export function isHeard({ kind, port }: PortCheck, listeners: readonly Listener[]): boolean {
  return findAt(port, isOverUdp(kind) ? 'udp' : 'tcp', listeners) !== undefined
}

function findAt(port: number, protocol: 'tcp' | 'udp', listeners: readonly Listener[]) {
  return listeners
    .filter((one) => one.protocol !== 'unix')
    .find((one) => one.port === port && one.protocol === protocol)
}

/** Returns the hint for a port without any answer, by what listens in the server. */
export function hintForPort(
  { port, kind }: PortCheck,
  answer: string,
  listeners: readonly Listener[] | undefined,
  isProcess = false,
): string {
  // Checks ask a server without a container at the loopback of this machine.
  const address = isProcess ? '127.0.0.1' : '0.0.0.0'
  if (listeners === undefined)
    return `Nothing answers at ${port}: check that it is the port that the server listens at, on ${isProcess ? address : `all addresses (${address})`}.`
  const [wanted, other] = isOverUdp(kind) ? (['udp', 'tcp'] as const) : (['tcp', 'udp'] as const)
  const own = findAt(port, wanted, listeners)
  if (own !== undefined && !answersAt(own, isProcess))
    return `The server listens at ${port} on ${addressOf(own)} only: make it listen on ${address}.`
  if (own?.isIpv6 && /refused/.test(answer))
    return `The server listens at ${port} on IPv6 only: make it listen on ${address}, too.`
  if (own !== undefined) {
    const isIpv6 = own.isIpv6 ? ' It listens on IPv6: look whether it takes IPv4, too.' : ''
    return `The server listens at ${port} (${wanted}) and ends each connection of \`${kind}\`: look at its log, and whether it wants another protocol${kind === 'http' ? ', such as `https`' : ''}.${isIpv6}`
  }
  if (findAt(port, other, listeners) !== undefined)
    return `The server listens at ${port} over ${other.toUpperCase()} only, and \`${kind}\` asks over ${wanted.toUpperCase()}: use another check, or make the server listen over both.`
  return hintForPlaces(port, listeners, isProcess)
}

/** Whether checks can reach a listener: those of a container come from outside, those of a process from this machine. */
function answersAt({ isLoopback, isIpv6, address }: PortListener, isProcess: boolean): boolean {
  if (!isProcess) return !isLoopback
  return address === undefined && !(isLoopback && isIpv6)
}

function addressOf({ isLoopback, isIpv6, address }: PortListener): string {
  if (address !== undefined) return address
  if (isIpv6) return isLoopback ? '::1' : '::'
  return isLoopback ? '127.0.0.1' : '0.0.0.0'
}

function hintForPlaces(port: number, listeners: readonly Listener[], isProcess: boolean): string {
  if (listeners.length === 0) return `Nothing listens in the server yet: look whether it is told to listen; ${RAISE}.`
  const places = listeners.filter((one) => one.protocol !== 'unix').map((one) => namePlace(one, isProcess))
  if (places.length > 0)
    return `Nothing listens at ${port}; the server listens at ${places.slice(0, 5).join(', ')}: correct the port of the check and of \`ports\`, or of the server.`
  const [path] = listeners.flatMap((one) => (one.protocol === 'unix' ? [one.path] : []))
  return `Nothing listens at a port; the server listens at the socket ${path}: make it listen at ${port}, or use an \`exec\` check.`
}

function namePlace(listener: PortListener, isProcess: boolean): string {
  const { protocol, port, isLoopback, isIpv6 } = listener
  const suffix = protocol === 'udp' ? '/udp' : ''
  const address = addressOf(listener)
  if (isProcess) return `${isIpv6 ? `[${address}]` : address}:${port}${suffix}`
  return `${port}${suffix}${isLoopback ? ` (on ${address} only)` : ''}`
}
