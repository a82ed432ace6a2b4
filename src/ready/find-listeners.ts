import { readFile } from 'node:fs/promises'
import { readEnd } from '../engine/output-text.ts'
import { isProcessId } from '../model/process-id.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** A port at which a program in a server listens. */
export interface PortListener {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  /** Whether only programs inside the server can reach it. */
  readonly isLoopback: boolean
  /** The address at which it listens, when it is another than all of them, 127.0.0.1 and ::1. */
  readonly address?: string | undefined
  /** Whether it listens only on IPv6 addresses, which may accept IPv4, too. */
  readonly isIpv6?: true
}

interface SocketListener {
  readonly protocol: 'unix'
  readonly path: string
}

export type Listener = PortListener | SocketListener

/** In the tables of TCP, listening sockets come first. */
const tables = ['unix', 'tcp', 'tcp6', 'udp', 'udp6'] as const
const MAX_TABLE_BYTES = 256 * 1024
const LOOK_MS = 2000

/**
 * Reads from the kernel's tables what listens in a server: by `cat` in the server or, if its image has none, through the
 * process on this machine. Undefined when neither is possible. A server without a container shares the network of this
 * machine: only what its own processes listen at counts.
 */
export async function findListeners(
  subject: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<Listener[] | undefined> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
  const text = isProcessId(subject.containerId)
    ? await subject.runtime.readSocketTables?.(subject.containerId).catch(() => undefined)
    : ((await readInside(subject, patience)) ?? (await readOutside(subject, patience)))
  signal.throwIfAborted()
  return text === undefined ? undefined : readTables(text)
}

async function readInside(
  { runtime, containerId }: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const command = ['cat', ...tables.map((table) => `/proc/net/${table}`)]
    const text = await readEnd((await runtime.exec(containerId, { command }, { signal })).output, MAX_TABLE_BYTES)
    return text.includes('local_address') ? text : undefined
  } catch {
    return undefined
  }
}

/** Only if the process with that number on this machine belongs to the server. */
async function readOutside(
  { runtime, containerId }: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { processId } = await runtime.inspectServer(containerId, { signal })
    if (!processId || !(await readFile(`/proc/${processId}/cgroup`, 'utf8')).includes(containerId)) return undefined
    const read = (table: string): Promise<string> => readFile(`/proc/${processId}/net/${table}`, 'utf8').catch(() => '')
    return (await Promise.all(tables.map(read))).map((table) => table.slice(0, MAX_TABLE_BYTES)).join('')
  } catch {
    return undefined
  }
}

const LISTEN = '0A'
/** A UDP socket that is not connected. */
const UNCONNECTED = '07'

/** Reads `/proc/net/tcp` and similar files (proc(5)), concatenated. Each begins with a line of column names. */
export function readTables(text: string): Listener[] {
  const listeners = new Map<string, PortListener>()
  let protocol: PortListener['protocol'] = 'tcp'
  for (const line of text.split('\n')) {
    // Only the tables of UDP have a column of drops.
    if (line.includes('local_address')) protocol = line.includes('drops') ? 'udp' : 'tcp'
    const found = readRow(line, protocol)
    if (found === undefined) continue
    const place = `${protocol} ${found.port}`
    const before = listeners.get(place)
    listeners.set(place, before === undefined ? found : join(before, found))
  }
  return [...[...listeners.values()].sort((a, b) => a.port - b.port), ...readSockets(text)]
}

/** Combines two sockets of one port. A socket that others can reach has precedence, then the one of IPv4. */
function join(one: PortListener, other: PortListener): PortListener {
  if (one.isLoopback !== other.isLoopback) return one.isLoopback ? other : one
  return one.isIpv6 ? other : one
}

/** Flag of sockets that accept connections, in `/proc/net/unix`. */
const SOCKET = /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} 00010000 \d{4} \d\d +\d+ (\S+)$/gm

function readSockets(text: string): SocketListener[] {
  return [...text.matchAll(SOCKET)].map(([, path = '']) => ({ protocol: 'unix', path }))
}

/** The engine's own name server, 127.0.0.11. */
const NAME_SERVER = '0B00007F'

/** Returns the socket of one line, or undefined when it does not wait for clients. */
function readRow(line: string, protocol: PortListener['protocol']): PortListener | undefined {
  const row = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) /.exec(line)
  const [, address = '', port = '', remotePort, state] = row ?? []
  const isOpen = protocol === 'tcp' ? state === LISTEN : state === UNCONNECTED && remotePort === '0000'
  if (!isOpen || address === NAME_SERVER) return undefined
  const isIpv6 = address.length > 8 && !MAPPED.test(address)
  const text = isIpv6 ? undefined : toText(address.slice(-8))
  return {
    protocol,
    port: Number.parseInt(port, 16),
    isLoopback: isLoopbackAddress(address),
    ...(isIpv6 && { isIpv6 }),
    ...(text !== undefined && !USUAL.has(text) && { address: text }),
  }
}

const USUAL: ReadonlySet<string> = new Set(['0.0.0.0', '127.0.0.1'])

/** Returns an IPv4 address, of which the table has the bytes in reverse. */
function toText(address: string): string {
  return Buffer.from(address, 'hex').reverse().join('.')
}

/** An IPv4 address written as an IPv6 address. */
const MAPPED = /^0{16}FFFF0000/

/** Four bytes at a time, the lowest first. */
function isLoopbackAddress(address: string): boolean {
  if (address.length === 8) return address.endsWith('7F')
  return address === '00000000000000000000000001000000' || /^0{16}FFFF0000[0-9A-F]{6}7F$/.test(address)
}
