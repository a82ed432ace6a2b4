import type { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { FleetFile } from '../model/fleet-file.ts'
import { unknownServer } from '../plan/reconcile.ts'
import { cleanupTimeoutMs } from '../sessions/end.ts'
import type { Tools } from '../tools.ts'
import type { Membership } from '../up/membership.ts'
import { EndOnce } from './end-once.ts'
import type { FleetNames } from './fleet-names.ts'
import { leaveAndTell } from './leave.ts'
import { RunningServer } from './running-server.ts'
import type { Exports, ServerNames } from './types/fleet-types.ts'
import type { TimedOptions } from './types/options.ts'
import type { CommandOptions, RunResult } from './types/run.ts'

/**
 * What a running fleet is made of.
 *
 * @internal
 */
export interface FleetParts {
  readonly member: Membership
  readonly environment: Readonly<Record<string, string>>
  /** By the server's name. */
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly certificateAuthority: string | undefined
  readonly names: FleetNames
  readonly tools: Tools
  /** Whether the session stays when this process has left it. */
  readonly isLasting: boolean
}

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
  /** Variables that a command under `testfleet run` gets. */
  readonly environment: Readonly<Record<string, string>>
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
  readonly #tools: Tools
  readonly #member: Membership
  readonly #isLasting: boolean
  readonly #names: FleetNames
  readonly #end = new EndOnce()

  /** @internal */
  constructor({ member, environment, exports, certificateAuthority, names, tools, isLasting }: FleetParts) {
    const { record, report } = member
    this.#member = member
    this.#isLasting = isLasting
    this.session = report.session
    this.domain = report.domain
    this.environment = environment
    this.caFile = environment.TESTFLEET_CA_FILE
    this.certificateAuthority = certificateAuthority
    this.#tools = tools
    this.#names = names
    this.#servers = new Map(
      Object.entries(report.servers).map(([name, server]) => {
        const parts = { name: name as ServerNames<F>, record, report: server, exports: exports[name] ?? {}, tools }
        return [name, new RunningServer<F>(parts)]
      }),
    )
  }

  /** Servers of the fleet that were started, in the order of the fleet file. */
  get servers(): readonly RunningServer<F>[] {
    return [...this.#servers.values()]
  }

  /**
   * What the servers export, with the values for this process. Of two servers that export the same variable, the last one in
   * alphabetical order counts, as in `environment`; `server(name).exports` has both.
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
    return this.#names.lookup
  }

  /**
   * Agent for `http.request` that reaches the fleet's servers by their names and real ports, also where they can be
   * reached only at published ports. Other names lead where they always do.
   *
   * @example
   * http.get('http://web.shop.test/', { agent: fleet.agent }, (response) => response.pipe(process.stdout))
   */
  get agent(): HttpAgent {
    return this.#names.agents.http
  }

  /** As `agent`, for `https.request`. It trusts the certificates of the fleet, besides those that Node trusts. */
  get httpsAgent(): HttpsAgent {
    return this.#names.agents.https
  }

  /**
   * The `fetch` of this process, which also reaches the fleet's servers by their names and trusts their certificates.
   *
   * @throws {TestfleetError} NAMES_UNAVAILABLE where another `fetch` has taken the place of that of Node
   * @example
   * const response = await fleet.fetch('https://web.shop.test/')
   */
  get fetch(): typeof fetch {
    return this.#names.fetch
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
    const { signal = this.#tools.signal } = options
    const { runInFleet } = await import('./calls/run.ts')
    return runInFleet(this.#member, command, options, { ...this.#tools, signal })
  }

  /**
   * Takes the fleet down. A fleet of `up` is removed. A fleet of `start`, or one that was joined, is left, and removed when
   * no other process holds it. A second call waits for the first one; a call after a failure tries again. A process that
   * ends without this call, or is killed, leaves the fleet, too.
   *
   * @param options `timeoutMs` is the time that the servers have to stop plus a minute, unless it is given.
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
    return this.#finish((tools) => leaveAndTell(this.#member, tools), options)
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
    return this.#isLasting ? this.#finish(async () => {}, options) : this.down(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  async #finish(work: (tools: Tools) => Promise<void>, options: TimedOptions): Promise<void> {
    const { engine, recorder } = this.#tools
    const end = async (signal: AbortSignal): Promise<void> => {
      await work({ ...this.#tools, signal, cancelSignal: signal }).catch((error: unknown) => {
        // The engine stays open for the next try; its idle connections hold up no process.
        throw recorder.addThrown(error)
      })
      engine.close()
    }
    await this.#end.run(end, options, () => cleanupTimeoutMs(this.#member.record.id, this.#tools))
    recorder.thrown.throwIfAborted()
  }
}
