import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import type { PortBinding, PublishedPort } from '../../../model/container.ts'
import { isFailure, TestfleetError } from '../../../model/failures.ts'
import type { Forwards } from '../types.ts'

/** A port of this machine that is taken for a container. */
export interface ReservedPort {
  readonly published: PublishedPort
  /** Descriptor of the socket that takes it. Undefined when another process has taken it. */
  readonly descriptor: number | undefined
  /** Closes the socket here. The port stays taken as long as another process has it open. */
  release(): void
}

/**
 * Takes the ports that a container publishes, each by a socket. Nothing ever reaches these sockets, because the packets
 * are redirected, but no other program can take the port. PORT_TAKEN, START_FAILED; takes none of them then.
 */
export async function reservePorts(
  bindings: readonly PortBinding[],
  forwards?: Forwards,
): Promise<readonly ReservedPort[]> {
  const reserve = forwards === undefined ? reservePort : (one: PortBinding) => forwardPort(one, forwards)
  const tries = await Promise.allSettled(bindings.map(reserve))
  const failed = tries.find((result) => result.status === 'rejected')
  const reserved = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  if (failed === undefined) return reserved
  for (const port of reserved) port.release()
  await forwards?.remove(reserved.map((port) => port.published))
  throw failed.reason
}

/** Ports that the system gives to programs that ask for any. */
const freePorts = { first: 32_768, last: 60_999 }

/** How many ports are tried when any will do. */
const MOST_TRIES = 50

/** Takes a port by a program outside of the namespaces, which keeps it until it is removed. */
async function forwardPort(binding: PortBinding, forwards: Forwards): Promise<ReservedPort> {
  const address = addressOf(binding)
  const { container, protocol, host } = binding
  for (let tries = 1; ; tries++) {
    const port = host ?? randomInt(freePorts.first, freePorts.last + 1)
    const published = { container, protocol, address, port }
    try {
      await forwards.add(published)
      return { published, descriptor: undefined, release() {} }
    } catch (error) {
      if (host !== undefined || tries === MOST_TRIES || !isFailure(error, 'PORT_TAKEN')) throw error
    }
  }
}

function addressOf({ address }: PortBinding): string {
  if (address.includes(':')) throw noIpv6(address)
  return address === '' ? '0.0.0.0' : address
}

async function reservePort(binding: PortBinding): Promise<ReservedPort> {
  const address = addressOf(binding)
  try {
    const { port, ...socket } = await (binding.protocol === 'udp' ? bindUdp : listenTcp)(address, binding.host ?? 0)
    return { ...socket, published: { container: binding.container, protocol: binding.protocol, address, port } }
  } catch (error) {
    throw explainTaken(error as NodeJS.ErrnoException, `${address}:${binding.host ?? 0}`)
  }
}

interface BoundSocket {
  readonly port: number
  readonly descriptor: number
  release(): void
}

async function listenTcp(host: string, port: number): Promise<BoundSocket> {
  // It listens until the packets are redirected.
  const server = createServer((socket) => socket.destroy())
  server.listen({ host, port, exclusive: true })
  await once(server, 'listening')
  server.unref()
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle
  return { port: (server.address() as AddressInfo).port, descriptor: fd, release: () => void server.close() }
}

async function bindUdp(host: string, wanted: number): Promise<BoundSocket> {
  const socket = createSocket('udp4')
  socket.bind({ address: host, port: wanted, exclusive: true })
  await once(socket, 'listening')
  socket.unref()
  const { port } = socket.address()
  const release = (): void => void socket.close()
  const descriptor = await findDescriptor(port)
  if (descriptor !== undefined) return { port, descriptor, release }
  release()
  throw new TestfleetError('ENGINE_REFUSED', `the socket of port ${port} cannot be found in /proc/self/fd`)
}

/** Node tells the descriptor of a UDP socket only in a deprecated way. */
async function findDescriptor(port: number): Promise<number | undefined> {
  const table = await readFile('/proc/self/net/udp', 'utf8')
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local, , , , , , , , inode]) => (local?.endsWith(wanted) ? [`socket:[${inode}]`] : []))
  for (const name of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${name}`).catch(() => '')
    if (inodes.includes(target)) return Number(name)
  }
  return undefined
}

function explainTaken(error: NodeJS.ErrnoException, where: string): Error {
  if (error.code === 'EADDRINUSE') {
    return new TestfleetError('PORT_TAKEN', `the port is already taken: ${where}`, { cause: error })
  }
  if (error.code === undefined || error instanceof TestfleetError) return error
  const hints: Readonly<Record<string, string>> = {
    EADDRNOTAVAIL: 'Publish the port at an address of the host: this one is not.',
    EACCES: 'Use a port from 1024 on: this user cannot open lower ports of the host.',
  }
  const hint = hints[error.code]
  return new TestfleetError(
    'START_FAILED',
    `the container could not be started: port ${where} cannot be opened: ${error.message}`,
    { ...(hint !== undefined && { hint }), cause: error },
  )
}

function noIpv6(address: string): TestfleetError {
  return new TestfleetError(
    'START_FAILED',
    `the container could not be started: a port cannot be published at ${address}, because containers of the local engine have no IPv6 addresses`,
    { hint: 'Publish the port at 127.0.0.1 or 0.0.0.0.' },
  )
}
