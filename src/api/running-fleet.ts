import type { FleetFile } from '../model/fleet-file.ts'
import type { SessionReport } from '../model/running.ts'
import { unknownServer } from '../plan/reconcile.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { RunningServer } from './running-server.ts'
import type { Exports, ServerNames } from './types/fleet-types.ts'

/**
 * What a running fleet is made of.
 *
 * @internal
 */
export interface FleetParts {
  readonly record: StoredRecord
  readonly report: SessionReport
  readonly environment: Readonly<Record<string, string>>
  /** By the server's name. */
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly certificateAuthority: string | undefined
  readonly tools: Tools
  /** Takes the session down, or leaves it: whichever `down` means for it. */
  readonly end: () => Promise<void>
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
  readonly #takeDown: () => Promise<void>
  readonly #isLasting: boolean
  #end: Promise<void> | undefined

  /** @internal */
  constructor({ record, report, environment, exports, certificateAuthority, tools, end, isLasting }: FleetParts) {
    this.#takeDown = end
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
   * Takes the fleet down. One of `up` is removed. One of `start`, or that this program has joined, is left, and is removed
   * if nobody else holds it. A second call waits for the first; after a failure, it tries again. A process that ends
   * without this call, or is killed, has left all the same.
   *
   * @throws {TestfleetError} CLEANUP_FAILED; SESSION_BUSY for a session of `up` that others hold
   */
  down(): Promise<void> {
    this.#end ??= this.#finish(this.#takeDown)
    return this.#end
  }

  /** Ends this program's part in the session: as `down`, but a session of `up` stays. `await using` calls it. */
  leave(): Promise<void> {
    if (!this.#isLasting) return this.down()
    this.#end ??= this.#finish(async () => {})
    return this.#end
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  async #finish(work: () => Promise<void>): Promise<void> {
    const { engine, recorder } = this.#tools
    try {
      await work()
    } catch (error) {
      // The engine stays open for the next try; its idle connections hold up no process.
      this.#end = undefined
      throw recorder.addThrown(error)
    }
    engine.close()
    recorder.thrown.throwIfAborted()
  }
}
