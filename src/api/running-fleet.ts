import type { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { FleetFile } from '../model/fleet-file.ts'
import { unknownServer } from '../model/unknown-server.ts'
import type { Tools } from '../tools.ts'
import { checkOptions } from './check-options.ts'
import { EndOnce } from './end-once.ts'
import type { EventStream } from './event-stream.ts'
import type { TestfleetEvent } from './events.ts'
import type { FleetParts } from './fleet-parts.ts'
import { LeasedServer } from './leased-server.ts'
import { leaveAndTell, timeToLeave } from './leave.ts'
import { RunningServer } from './running-server.ts'
import type { Exports, ServerNames } from './types/fleet-types.ts'
import type { LeaseOptions } from './types/lease.ts'
import type { CallOptions, TimedOptions } from './types/options.ts'
import type { CommandOptions, RunResult } from './types/run.ts'

/**
 * A fleet that runs. Take it down with `await using`, or with `down()`.
 *
 * `F` is the type of the fleet, from which the names, ports and exports of its servers are known. Without it, every name
 * is a `string`.
 *
 * @example
 * await using fleet = await startFleet({ servers: { db: { preset: 'postgresql' } } })
 * const client = new pg.Client(fleet.exports.DATABASE_URL)
 */
export class RunningFleet<const F extends FleetFile = FleetFile> implements AsyncDisposable {
  /** Name of the session. */
  readonly session: string
  /** Domain of the servers: each is `<server>.<domain>`. */
  readonly domain: string
  /**
   * Path of the certificate of the fleet's authority, which signs the certificates of servers with `tls`; undefined when no
   * server has `tls`. `environment` has it as TESTFLEET_CA_FILE, and under the names that common clients read.
   */
  readonly caFile: string | undefined
  /**
   * Content of `caFile`, in PEM.
   *
   * @example
   * const { host, port } = fleet.server('web').endpoint(443)
   * const socket = tls.connect({ host, port, servername: 'web.shop.test', ca: fleet.certificateAuthority })
   */
  readonly certificateAuthority: string | undefined
  readonly #servers: ReadonlyMap<string, RunningServer<F>>
  readonly #parts: FleetParts
  readonly #streams = new Set<EventStream>()
  readonly #end = new EndOnce()
  readonly #leave = new EndOnce()
  #thrown: { readonly error: unknown } | undefined

  /** @internal */
  constructor(parts: FleetParts) {
    const { member, reports, exports, certificateAuthority, operate } = parts
    const { record, report } = member
    this.#parts = parts
    this.session = report.session
    this.domain = report.domain
    this.caFile = this.environment.TESTFLEET_CA_FILE
    this.certificateAuthority = certificateAuthority
    this.#servers = new Map(
      Object.keys(reports).map((name) => {
        const own = { name: name as ServerNames<F>, record, reports, exports: exports[name] ?? {}, operate }
        return [name, new RunningServer<F>(own)]
      }),
    )
  }

  /** Variables that a command under `testfleet run` gets. After a start or restart by a handle, they have its new ports. */
  get environment(): Readonly<Record<string, string>> {
    return this.#parts.environment()
  }

  /** Servers of the fleet that were started, in the order of the fleet file. */
  get servers(): readonly RunningServer<F>[] {
    return [...this.#servers.values()]
  }

  /**
   * What the servers export, with the values for this process. If two servers export the same variable, it has
   * the value of the last one in alphabetical order, as in `environment`. `server(name).exports` has the value of each.
   *
   * @example
   * const client = new pg.Client(fleet.exports.DATABASE_URL)
   */
  get exports(): Exports<F> {
    const servers = this.servers.toSorted((one, other) => (one.name < other.name ? -1 : 1))
    return Object.assign({}, ...servers.map((server) => server.exports))
  }

  /**
   * Returns the server of that name.
   *
   * @throws {TestfleetError} UNKNOWN_SERVER when the fleet has no such server, or it was not started
   * @example
   * const { host, port } = fleet.server('db').endpoint(5432)
   */
  server<N extends ServerNames<F>>(name: N): RunningServer<F, N> {
    const server = this.#servers.get(name)
    if (server === undefined) throw unknownServer(name, this.#servers.keys())
    return server as RunningServer<F, N>
  }

  /**
   * Resolves host names as `dns.lookup` does, and knows the names of the fleet's servers. Give it to `net.connect`,
   * `tls.connect`, `http.request` or `dgram.createSocket`. A server that can be reached only at its published ports is not
   * found: use `agent`, `fetch` or `endpoint()` for it.
   *
   * @example
   * const socket = net.connect({ host: 'db.shop.test', port: 5432, lookup: fleet.lookup })
   */
  get lookup(): LookupFunction {
    return this.#parts.names.lookup
  }

  /**
   * Agent for `http.request` that reaches the fleet's servers by their names and real ports, even if this machine can
   * reach only published ports. All other names work as without it.
   *
   * @example
   * http.get('http://web.shop.test/', { agent: fleet.agent }, (response) => response.pipe(process.stdout))
   */
  get agent(): HttpAgent {
    return this.#parts.names.agents.http
  }

  /** Agent for `https.request`, like `agent`. It trusts the certificates of the fleet and those that Node trusts. */
  get httpsAgent(): HttpsAgent {
    return this.#parts.names.agents.https
  }

  /**
   * The `fetch` of this process, which also reaches the fleet's servers by their names and trusts their certificates.
   *
   * @throws {TestfleetError} NAMES_UNAVAILABLE when `fetch` is not that of Node, because something has replaced it
   * @example
   * const response = await fleet.fetch('https://web.shop.test/')
   */
  get fetch(): typeof fetch {
    return this.#parts.names.fetch
  }

  /**
   * Runs a command on this machine with the fleet's variables and names. It has the standard streams of this process. An
   * exit code other than 0 is a result.
   *
   * @throws {TestfleetError} USAGE when there is no such program, COMMAND_NOT_FOUND, NAMES_UNAVAILABLE
   * @example
   * const { exitCode } = await fleet.run(['pytest', '-x'])
   */
  async run(command: readonly string[], options: CommandOptions = {}): Promise<RunResult> {
    return this.#parts.operate('run', options, async (tools) => {
      const { runInFleet } = await import('./calls/run-started.ts')
      return runInFleet(this.#parts.member, command, options, tools)
    })
  }

  /**
   * Leases a pristine server that nobody else has until it is given back. The first lease of a server without a `pool` makes it.
   *
   * @throws {TestfleetError} UNKNOWN_SERVER, TIMED_OUT when all are lent, NOT_RUNNING when the server whose database is
   *   leased has ended, LENDER_LOST, and the codes of a start
   * @example
   * await using db = await fleet.lease('db')
   * const client = new pg.Client(db.exports.DATABASE_URL)
   */
  async lease<const N extends ServerNames<F>>(server: N, options: LeaseOptions = {}): Promise<LeasedServer<F, N>> {
    return new LeasedServer<F, N>(await this.#parts.leases.lease(server, options))
  }

  /**
   * Returns the events of this fleet's session from now on, of all calls of the client that returned it. It ends once the
   * fleet is down, when `signal` fires, or when its reader leaves the loop. A slow reader is served as by `Testfleet.events`.
   *
   * @example
   * for await (const { kind, data } of fleet.events()) console.log(kind, data)
   */
  events(options: CallOptions = {}): AsyncIterableIterator<TestfleetEvent> {
    checkOptions(options)
    const stream = this.#parts.hub.stream({ signal: options.signal, session: this.session })
    if (this.#end.isDone || this.#leave.isDone) stream.end()
    this.#streams.add(stream)
    stream.onEnd(() => this.#streams.delete(stream))
    return stream
  }

  /**
   * Takes the fleet down. A fleet of `up` is removed. A fleet of `start` or `join` is left, and it is removed when no other
   * process holds it. A second call waits for the first one; a call after a failure tries again. A process that ends
   * without this call, or is killed, leaves the fleet as well.
   *
   * @param options Default of `timeoutMs`: the time that the servers have to stop, plus a minute.
   * @throws {TestfleetError} CLEANUP_FAILED, TIMED_OUT; SESSION_BUSY for a session of `up` that other processes hold
   * @example
   * const fleet = await startFleet('./testfleet.yaml')
   * try {
   *   await runTests(fleet.environment)
   * } finally {
   *   await fleet.down({ timeoutMs: 60_000 })
   * }
   */
  down(options: TimedOptions = {}): Promise<void> {
    return this.#finish('down', (tools) => leaveAndTell(this.#parts.member, tools), options)
  }

  /**
   * Leaves the session: as `down`, but a session of `up` stays. `await using` calls it at the end of its block.
   *
   * @throws {TestfleetError} CLEANUP_FAILED, TIMED_OUT
   * @example
   * const fleet = await testfleet.up()
   * await fleet.leave() // the servers still run
   */
  leave(options: TimedOptions = {}): Promise<void> {
    if (!this.#parts.isLasting) return this.down(options)
    return this.#end.isDone ? Promise.resolve() : this.#finish('leave', async () => {}, options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  async #finish(name: 'down' | 'leave', work: (tools: Tools) => Promise<void>, options: TimedOptions): Promise<void> {
    const { operate, member, tools } = this.#parts
    const end = async (signal: AbortSignal): Promise<void> => {
      await this.#parts.leases.close()
      let isDone = false
      try {
        await operate(name, { signal }, async (own) => {
          // Not the signal of `own`: a listener that throws does not stop it.
          await work({ ...own, signal, cancelSignal: signal })
          isDone = true
        })
      } catch (error) {
        // The engine stays open for the next try; its idle connections hold up no process.
        if (!isDone) throw error
        this.#thrown = { error }
      }
      tools.engine.close()
      for (const stream of this.#streams) stream.end()
    }
    const once = name === 'down' ? this.#end : this.#leave
    await once.run(end, options, () => timeToLeave(member, tools))
    if (this.#thrown !== undefined) throw this.#thrown.error
  }
}
