import { lookup as systemLookup } from 'node:dns'
import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls, getCACertificates } from 'node:tls'
import { TestfleetError } from '../model/failures.ts'
import type { Endpoint, NamedServer } from '../model/running.ts'
import { readNames } from '../report/names.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

/** How long an address from the engine is used: a server that is restarted can have another one. */
const FRESH_MS = 1000

/** The names of a fleet's servers for this process: what its sockets, agents and `fetch` need to reach them. */
export class FleetNames {
  readonly #record: StoredRecord
  readonly #tools: Tools
  /** The certificate of the fleet's authority, in PEM. */
  readonly #authority: string | undefined
  readonly #names: ReadonlySet<string>
  #known: { readonly untilMs: number; readonly servers: Promise<readonly NamedServer[]> } | undefined
  #agents: { readonly http: HttpAgent; readonly https: HttpsAgent } | undefined
  #fetch: typeof fetch | undefined

  constructor(record: StoredRecord, authority: string | undefined, tools: Tools) {
    this.#record = record
    this.#authority = authority
    this.#tools = tools
    // A server's alias that is a name of this machine leads to the machine.
    const ofMachine = new Set(['localhost', hostname().toLowerCase()])
    const names = Object.values(record.servers).flatMap((server) => [server.hostname, ...server.aliases])
    this.#names = new Set(names.map((name) => name.toLowerCase()).filter((name) => !ofMachine.has(name)))
  }

  readonly lookup: LookupFunction = (name, options, callback) => {
    if (!this.#names.has(plain(name))) {
      systemLookup(name, options, callback)
      return
    }
    const { all = false, family = 0 } = typeof options === 'number' ? { family: options } : options
    const settle = ({ address }: NamedServer): void => {
      if (address === undefined) throw notFound(name, 'only its published ports can be reached; use `endpoint()`')
      if (family === 6 || family === 'IPv6') throw notFound(name, 'it has no address of that family')
      // The callback runs separately, so that its error does not reject this promise.
      queueMicrotask(() => (all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)))
    }
    this.#find(name)
      .then(settle)
      .catch((error: NodeJS.ErrnoException) => queueMicrotask(() => callback(error, '', 0)))
  }

  get agents(): { readonly http: HttpAgent; readonly https: HttpsAgent } {
    this.#agents ??= this.#openAgents()
    return this.#agents
  }

  get fetch(): typeof fetch {
    this.#fetch ??= async (input, init) => {
      const dispatcher = await this.#dispatcher()
      return globalThis.fetch(input, { ...init, dispatcher } as RequestInit)
    }
    return this.#fetch
  }

  /** Asks the engine for the address of a name of the fleet. */
  async #find(name: string): Promise<NamedServer> {
    const servers = await this.#list()
    const found = servers.find(({ names }) => names.some((one) => one.toLowerCase() === plain(name)))
    if (found === undefined) throw notFound(name, 'the server does not run')
    return found
  }

  #list(): Promise<readonly NamedServer[]> {
    if (this.#known !== undefined && performance.now() < this.#known.untilMs) return this.#known.servers
    const known = { untilMs: Number.POSITIVE_INFINITY, servers: this.#ask() }
    const settle = (freshMs: number) => () => {
      known.untilMs = performance.now() + freshMs
    }
    known.servers.then(settle(FRESH_MS), settle(0))
    this.#known = known
    return known.servers
  }

  async #ask(): Promise<readonly NamedServer[]> {
    const record = await this.#tools.sessions.find(this.#record.id, { signal: this.#tools.signal })
    return record === undefined ? [] : readNames(record, this.#tools)
  }

  /** Target of a connection to a name and a port. */
  async #target(host: string, port: number): Promise<Endpoint | { readonly host: string; readonly port: number }> {
    if (!this.#names.has(plain(host))) return { host, port }
    const { address, endpoints } = await this.#find(host)
    if (address !== undefined) return { host: address, port }
    const endpoint = endpoints[`${port}/tcp`]
    if (endpoint !== undefined) return endpoint
    const message = `connect ECONNREFUSED ${host}:${port}: it publishes no such port`
    throw Object.assign(new Error(message), { code: 'ECONNREFUSED', syscall: 'connect' })
  }

  /** Opens a connection that is still connecting. */
  async #connect(host: string, port: number, tls: { readonly servername: string } | undefined): Promise<Socket> {
    const { host: address, port: number } = await this.#target(host, port)
    const to = { host: address, port: number }
    if (tls === undefined) return connect(to)
    const ca = this.#authority === undefined ? {} : { ca: [...getCACertificates('default'), this.#authority] }
    // Names of IP addresses are not sent (RFC 6066).
    const name = isIP(tls.servername) === 0 ? tls : {}
    return connectTls({ ...to, ...name, ...ca, ALPNProtocols: ['http/1.1'] })
  }

  #openAgents() {
    const open = (isTls: boolean) => (options: ClientRequestArgs & { readonly servername?: string }, done: Done) => {
      const host = options.host ?? 'localhost'
      const tls = isTls ? { servername: options.servername || host } : undefined
      this.#connect(host, Number(options.port ?? options.defaultPort), tls).then((socket) => done(null, socket), done)
      return undefined
    }
    const http = new HttpAgent()
    const https = new HttpsAgent()
    // Node takes a socket that comes later, too.
    Object.assign(http, { createConnection: open(false) })
    Object.assign(https, { createConnection: open(true) })
    return { http, https }
  }

  async #dispatcher(): Promise<object> {
    const Agent = await findDispatcherClass()
    return new Agent({
      connect: ({ hostname: host, port, protocol, servername }: Connecting, done: Done) => {
        const isTls = protocol === 'https:'
        const number = Number(port || (isTls ? 443 : 80))
        const tls = isTls ? { servername: servername || host } : undefined
        this.#connect(host, number, tls).then((socket) => awaitConnection(socket, isTls, done), done)
      },
    })
  }
}

type Done = (error: Error | null, socket?: Socket) => void

interface Connecting {
  readonly hostname: string
  readonly port: string
  readonly protocol: string
  readonly servername?: string | null
}

type DispatcherClass = new (options: { readonly connect: (options: Connecting, done: Done) => void }) => object

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function notFound(name: string, why: string): NodeJS.ErrnoException {
  const error = new Error(`getaddrinfo ENOTFOUND ${name}: ${why}`)
  return Object.assign(error, { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: name })
}

function awaitConnection(socket: Socket, isTls: boolean, done: Done): void {
  const event = isTls ? 'secureConnect' : 'connect'
  const onError = (error: Error): void => done(error)
  socket.once('error', onError).once(event, () => {
    socket.off('error', onError)
    done(null, socket)
  })
}

/** Key under which Node stores the dispatcher of `fetch` (seen with Node 22 and 24). It exists after the first call. */
const GLOBAL_DISPATCHER = Symbol.for('undici.globalDispatcher.1')

/** Finds the class of the dispatcher of `fetch`. With proxies of the environment, it is inside another one. */
async function findDispatcherClass(): Promise<DispatcherClass> {
  await globalThis.fetch('data:,')
  const used = (globalThis as Record<symbol, unknown>)[GLOBAL_DISPATCHER]
  const inside = Object.getOwnPropertySymbols(Object(used)).map((key) => Object(used)[key])
  const found = [used, ...inside].find((one) => Object(one).constructor.name === 'Agent')
  if (found !== undefined) return Object(found).constructor as DispatcherClass
  throw new TestfleetError('NAMES_UNAVAILABLE', 'the `fetch` of this process cannot be led to the servers', {
    hint: 'Use `agent` and `httpsAgent` of the fleet with node:http and node:https.',
  })
}
