import type { SessionReport } from '../model/running.ts'
import { unknownServer } from '../plan/reconcile.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { RunningServer } from './running-server.ts'

/**
 * What a running fleet is made of.
 *
 * @internal
 */
export interface FleetParts {
  readonly record: StoredRecord
  readonly report: SessionReport
  readonly environment: Readonly<Record<string, string>>
  readonly certificateAuthority: string | undefined
  readonly tools: Tools
  /** Takes the session down, or leaves it: whichever `down` means for it. */
  readonly end: () => Promise<void>
  /** Whether the session stays when this process has left it. */
  readonly isLasting: boolean
}

/** A fleet that runs. Take it down with `await using`, or with `down()`. */
export class RunningFleet implements AsyncDisposable {
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
  readonly #servers: ReadonlyMap<string, RunningServer>
  readonly #tools: Tools
  readonly #takeDown: () => Promise<void>
  readonly #isLasting: boolean
  #end: Promise<void> | undefined

  /** @internal */
  constructor({ record, report, environment, certificateAuthority, tools, end, isLasting }: FleetParts) {
    this.#takeDown = end
    this.#isLasting = isLasting
    this.session = report.session
    this.domain = report.domain
    this.environment = environment
    this.caFile = environment.TESTFLEET_CA_FILE
    this.certificateAuthority = certificateAuthority
    this.#tools = tools
    this.#servers = new Map(
      Object.entries(report.servers).map(([name, server]) => [name, new RunningServer(name, record, server, tools)]),
    )
  }

  get servers(): readonly RunningServer[] {
    return [...this.#servers.values()]
  }

  /** @throws {TestfleetError} UNKNOWN_SERVER */
  server(name: string): RunningServer {
    const server = this.#servers.get(name)
    if (server === undefined) throw unknownServer(name, this.#servers.keys())
    return server
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
