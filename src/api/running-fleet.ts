import type { FleetFile } from '../model/fleet-file.ts'
import { unknownServer } from '../plan/reconcile.ts'
import { cleanupTimeoutMs } from '../sessions/end.ts'
import type { Tools } from '../tools.ts'
import type { Membership } from '../up/membership.ts'
import { EndOnce } from './end-once.ts'
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
  readonly tools: Tools
  /** Whether the session stays when this process has left it. */
  readonly isLasting: boolean
}

/**
 * A fleet that runs. Take it down with `await using`, or with `down()`.
 *
 * `F` is the type of the fleet, from which the names, ports and exports of its servers are known. Without it, every name
 * is a `string`.
 */
export class RunningFleet<const F extends FleetFile = FleetFile> implements AsyncDisposable {
  readonly session: string
  readonly domain: string
  /** The variables that a command under `testfleet run` gets. */
  readonly environment: Readonly<Record<string, string>>
  /**
   * The path of the certificate of the fleet's own authority, which signs what `tls` gives to servers; undefined for a
   * fleet without. `environment` has TESTFLEET_CA_FILE and what common clients read.
   */
  readonly caFile: string | undefined
  /**
   * What `caFile` holds, in PEM.
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
  readonly #end = new EndOnce()

  /** @internal */
  constructor({ member, environment, exports, certificateAuthority, tools, isLasting }: FleetParts) {
    const { record, report } = member
    this.#member = member
    this.#isLasting = isLasting
    this.session = report.session
    this.domain = report.domain
    this.environment = environment
    this.caFile = environment.TESTFLEET_CA_FILE
    this.certificateAuthority = certificateAuthority
    this.#tools = tools
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
   * Takes the fleet down. One of `up` is removed. One of `start`, or that this program has joined, is left, and is removed
   * if nobody else holds it. A second call waits for the first. A call after one that failed tries again. A process that
   * ends without this call, or is killed, has left all the same.
   *
   * @param options `timeoutMs`: default: as long as its servers have to stop, and a minute more.
   * @throws {TestfleetError} CLEANUP_FAILED, TIMED_OUT; SESSION_BUSY for a session of `up` that others hold
   */
  down(options: TimedOptions = {}): Promise<void> {
    return this.#finish((tools) => leaveAndTell(this.#member, tools), options)
  }

  /** Ends this program's part in the session: as `down`, but a session of `up` stays. `await using` calls it. */
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
