import { rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { TestfleetError } from '../../../model/failures.ts'
import { markProcess, type ProcessMark } from '../processes.ts'
import { rootMachine, startProgram } from '../programs.ts'
import type { Store } from '../store.ts'
import type { Forwards } from '../types.ts'

/** Interface of the namespaces that leads out. */
const INTERFACE = 'tap0'

const LONGEST_START_MS = 10_000

/** Where the program takes orders. */
function socketPath(store: Store): string {
  return store.path('namespaces', 'way-out.sock')
}

/**
 * Starts the program that carries packets between the namespaces of a process and this machine's network: slirp4netns. It
 * gives servers no way to this machine's loopback. Undefined when it does not start, for example without /dev/net/tun: then
 * servers have only their own networks.
 */
export async function startWayOut(store: Store, pid: number): Promise<ProcessMark | undefined> {
  await rm(socketPath(store), { force: true })
  const words = ['--configure', '--mtu=65520', '--disable-host-loopback', `--api-socket=${socketPath(store)}`]
  const all = ['slirp4netns', ...words, '--ready-fd=3', String(pid), INTERFACE]
  const child = startProgram(rootMachine, 'setsid', all, ['ignore', 'ignore', 'ignore', 'pipe'], { folder: '/' })
  child.unref()
  const ready = child.stdio[3] as Readable
  const isReady = await new Promise<boolean>((resolve) => {
    const clock = setTimeout(() => resolve(false), LONGEST_START_MS)
    const finish = (isIt: boolean): void => {
      clearTimeout(clock)
      resolve(isIt)
    }
    child.on('error', () => finish(false))
    ready.on('error', () => finish(false))
    ready.on('data', () => finish(true)).on('end', () => finish(false))
  })
  ready.destroy()
  if (isReady && child.pid !== undefined) return markProcess(child.pid)
  child.kill('SIGKILL')
  return undefined
}

/** Ports of this machine, which the program takes and leads in. */
export function openForwards(store: Store): Forwards {
  return {
    async add({ protocol, address, port }) {
      const forward = { proto: protocol, host_addr: address, host_port: port, guest_port: port }
      const { error } = await order(store, { execute: 'add_hostfwd', arguments: forward })
      if (error !== undefined) throw refused(`${address}:${port}`, port, error)
    },
    async remove(ports) {
      if (ports.length === 0) return
      const listed = await order(store, { execute: 'list_hostfwd' }).catch(() => undefined)
      const { entries = [] } = (listed?.return ?? {}) as { readonly entries?: readonly ListedForward[] }
      const isOne = ({ proto, host_addr: address, host_port: port }: ListedForward): boolean =>
        ports.some((one) => one.protocol === proto && one.address === address && one.port === port)
      for (const { id } of entries.filter(isOne)) await order(store, { execute: 'remove_hostfwd', arguments: { id } })
    },
  }
}

/** Only root may take the ports below. */
const FIRST_FREE_PORT = 1024

/** slirp4netns does not say why: it has no words for it. */
function refused(where: string, port: number, cause: unknown): TestfleetError {
  if (port >= FIRST_FREE_PORT) return new TestfleetError('PORT_TAKEN', `the port is already taken: ${where}`, { cause })
  return new TestfleetError('START_FAILED', `the container could not be started: port ${where} cannot be opened`, {
    hint: 'Use a port from 1024 on: this user cannot open lower ports of the host.',
    cause,
  })
}

interface ListedForward {
  readonly id: number
  readonly proto: string
  readonly host_addr: string
  readonly host_port: number
}

interface Answer {
  readonly return?: unknown
  readonly error?: unknown
}

const LONGEST_ANSWER_MS = 5000
const MOST_BYTES = 1 << 20

/** The program has a queue for one connection only. */
const BUSY = ['EAGAIN', 'ECONNREFUSED']
const PAUSE_MS = 3

/** Each order has its own connection. This process gives one at a time; those of other processes are waited for. */
function order(store: Store, request: object): Promise<Answer> {
  const done = last.then(() => orderWhenFree(store, JSON.stringify(request)))
  last = done.catch(() => {})
  return done
}

let last: Promise<unknown> = Promise.resolve()

async function orderWhenFree(store: Store, request: string): Promise<Answer> {
  const until = performance.now() + LONGEST_ANSWER_MS
  for (;;) {
    try {
      return await orderNow(store, request)
    } catch (error) {
      const isBusy = BUSY.includes((error as NodeJS.ErrnoException).code ?? '')
      if (!isBusy || performance.now() > until) throw noWayOut(error as Error)
    }
    await pause(PAUSE_MS)
  }
}

function orderNow(store: Store, request: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    const socket = createConnection(socketPath(store), () => socket.end(request))
    let text = ''
    socket.setTimeout(LONGEST_ANSWER_MS, () => fail(new Error('slirp4netns does not answer')))
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.length > MOST_BYTES) fail(new Error('slirp4netns answers with too many bytes'))
    })
    socket.on('error', fail)
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text) as Answer)
      } catch (error) {
        fail(error as Error)
      }
    })
  })
}

function noWayOut(cause: Error): TestfleetError {
  const why = 'there is no slirp4netns that leads to its network'
  return new TestfleetError(
    'START_FAILED',
    `the container could not be started: its ports cannot be published: ${why}`,
    {
      hint: 'Run `testfleet doctor --engine local`: it says what is missing.',
      cause,
    },
  )
}
