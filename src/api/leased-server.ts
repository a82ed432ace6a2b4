import { splitKey, toUrl } from '../endpoints/endpoint-url.ts'
import type { LeaseAnswer, OpenLease } from '../lease/lease-client.ts'
import { TestfleetError } from '../model/failures.ts'
import { findEndpoint } from '../model/find-endpoint.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import type { Endpoint } from '../model/running.ts'
import type { StoredRecord } from '../sessions/store.ts'
import { checkCommand } from './check-options.ts'
import type { Operate } from './operation.ts'
import type { ExecOptions, ExecResult } from './types/exec.ts'
import type { Exports, PortsOf, ProtocolsOf, ServerNames } from './types/fleet-types.ts'
import type { Isolation } from './types/lease.ts'
import type { ServerEndpoint } from './types/servers.ts'

/**
 * What a leased server is made of.
 *
 * @internal
 */
export interface LeaseParts {
  readonly lease: OpenLease
  /** Session of the server that was leased. */
  readonly record: StoredRecord
  readonly operate: Operate
  /** Does what is left to do once the lease is given back. */
  readonly onReleased?: (() => Promise<void>) | undefined
}

/**
 * A pristine server that nobody else has. Give it back with `await using`, or with `release()`. It also goes back when this
 * process ends, however it ends.
 *
 * @example
 * await using db = await fleet.lease('db')
 * const client = new pg.Client(db.exports.DATABASE_URL)
 */
export class LeasedServer<const F extends FleetFile = FleetFile, const N extends ServerNames<F> = ServerNames<F>>
  implements AsyncDisposable
{
  /** Name of the server in the fleet file. */
  readonly name: N
  /** Name of the copy, such as `db-2`; the server's own name for a database in it. */
  readonly copy: string
  /** Name of the session that has the copy. */
  readonly session: string
  readonly isolation: Isolation
  /** Name of the leased database; undefined for every other isolation than `database`. */
  readonly database: string | undefined
  /** Host name of the copy, as the servers of the fleet know it. */
  readonly hostname: string
  /** What the server exports, with the values of this lease. */
  readonly exports: Exports<F, N>
  /** The exports, and the variables TESTFLEET_<SERVER>_… of the server, with the values of this lease. */
  readonly environment: Readonly<Record<string, string>>
  readonly #answer: LeaseAnswer
  readonly #parts: LeaseParts

  /** @internal */
  constructor(parts: LeaseParts) {
    const { answer } = parts.lease
    this.#parts = parts
    this.#answer = answer
    this.name = answer.server as N
    this.copy = answer.copy
    this.session = answer.session
    this.isolation = answer.isolation
    this.database = answer.database
    this.hostname = answer.hostname
    this.exports = answer.exports as Exports<F, N>
    this.environment = answer.environment
  }

  /**
   * Returns where this process reaches a port of the leased server. Default: the first port of the fleet file.
   *
   * @throws {TestfleetError} PORT_UNREACHABLE when the fleet file does not list the port
   * @example
   * const { host, port } = db.endpoint(5432)
   */
  endpoint<P extends PortsOf<F, N>>(port?: P, protocol?: ProtocolsOf<F, N, P>): ServerEndpoint {
    const { endpoints } = this.#answer
    const found = port === undefined ? Object.values(endpoints)[0] : findEndpoint(this.#answer, port, protocol)
    const key = Object.keys(endpoints).find((one) => endpoints[one] === found)
    if (found === undefined || key === undefined) {
      const wanted = [port, protocol].filter((one) => one !== undefined).join('/')
      throw new TestfleetError('PORT_UNREACHABLE', `${this.name} has no published port ${wanted}`.trimEnd(), {
        server: this.name,
        hint: 'List the port in `ports`.',
      })
    }
    const checks = this.#parts.record.servers[this.name]?.ready ?? []
    return { ...(found as Endpoint), protocol: splitKey(key)[1], url: toUrl(found, key, checks) }
  }

  /**
   * Runs a command inside the leased server. An exit code other than 0 is a result, not a failure.
   *
   * @throws {TestfleetError} USAGE, COMMAND_NOT_FOUND, NOT_RUNNING, OUTPUT_TOO_LONG
   * @example
   * const { stdout } = await db.exec(['psql', '-Atc', 'select 1'])
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    checkCommand(command)
    const { operate, record } = this.#parts
    return operate('exec', options, async (tools) => {
      const { execInLease } = await import('./calls/lease-desk.ts')
      return execInLease(record, this.#answer, command, options, tools)
    })
  }

  /**
   * Gives the server back. It is made pristine in the background. Does nothing when it was given back before.
   *
   * @example
   * const db = await fleet.lease('db')
   * await db.release()
   */
  async release(): Promise<void> {
    const { lease, onReleased } = this.#parts
    try {
      await lease.release()
    } finally {
      await onReleased?.()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}
