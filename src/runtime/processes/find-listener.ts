import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Protocol } from '../../formats/port-range.ts'

/** A process that listens at a port. */
export interface Listener {
  /** Undefined when the process belongs to another user, so that the system does not tell. */
  readonly pid: number | undefined
}

/** Addresses at which a program on the loopback, or on all addresses, cannot listen twice. */
const loopbacks = new Set([
  '0100007F',
  '00000000',
  '00000000000000000000000000000000',
  '00000000000000000000000001000000',
  '0000000000000000FFFF00000100007F',
])
const LISTENING = '0A'

/** Finds who listens at a port of this machine's loopback; undefined when nobody does. */
export function findListener(port: number, protocol: Protocol): Listener | undefined {
  const [found] = findSockets(port, protocol)
  return found && { pid: findOwner(found.inode) }
}

/** Whether one of these processes listens at a port of this machine's loopback. */
export function holdsPort(pids: readonly number[], port: number, protocol: Protocol): boolean {
  const wanted = new Set(findSockets(port, protocol).map(({ inode }) => `socket:[${inode}]`))
  return pids.some((pid) => list(`/proc/${pid}/fd`).some((fd) => wanted.has(readLink(`/proc/${pid}/fd/${fd}`))))
}

/** The kernel's tables of sockets, with the column of the inode. */
const tables = [
  ['unix', 6],
  ['tcp', 9],
  ['tcp6', 9],
  ['udp', 9],
  ['udp6', 9],
] as const

/** Returns those rows of the kernel's tables of sockets that belong to these processes, with the lines of column names. */
export function readSocketTables(pids: readonly number[]): string {
  const own = new Set(pids.flatMap(listInodes))
  return tables
    .map(([name, column]) => {
      const [head, ...rows] = read(`/proc/net/${name}`).split('\n')
      return [head, ...rows.filter((row) => own.has(row.trim().split(/\s+/)[column] ?? '')), ''].join('\n')
    })
    .join('')
}

function listInodes(pid: number): string[] {
  const links = list(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`))
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
}

function findSockets(port: number, protocol: Protocol): SocketEntry[] {
  return [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]
    .flatMap(readSockets)
    .filter((one) => one.port === port && loopbacks.has(one.address) && (protocol === 'udp' || one.state === LISTENING))
}

interface SocketEntry {
  /** Hexadecimal, as the kernel has it in memory. */
  readonly address: string
  readonly port: number
  readonly state: string
  readonly inode: string
}

function readSockets(path: string): SocketEntry[] {
  return read(path)
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/)
      const [address = '', port = ''] = fields[1]?.split(':') ?? []
      return fields.length < 10
        ? []
        : [{ address, port: Number.parseInt(port, 16), state: fields[3] ?? '', inode: fields[9] ?? '' }]
    })
}

function findOwner(inode: string): number | undefined {
  const wanted = `socket:[${inode}]`
  const pid = list('/proc').find(
    (name) =>
      /^\d+$/.test(name) && list(`/proc/${name}/fd`).some((fd) => readLink(`/proc/${name}/fd/${fd}`) === wanted),
  )
  return pid === undefined ? undefined : Number(pid)
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
