import { findEndpoint } from '../endpoints/environment.ts'
import { readLogs } from '../logs.ts'
import type { ServerState } from '../model/events.ts'
import { TestfleetError } from '../model/failures.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import type { Endpoint, ServerReport } from '../model/running.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import type { ExecOptions, ExecResult } from './types/exec.ts'
import type { Exports, PortsOf, ProtocolsOf, ServerNames } from './types/fleet-types.ts'

/**
 * What a running server is made of.
 *
 * @internal
 */
export interface ServerParts<N extends string> {
  readonly name: N
  readonly record: StoredRecord
  readonly report: ServerReport
  readonly exports: Readonly<Record<string, string>>
  readonly tools: Tools
}

/** One server of a fleet that runs. `F` is the type of the fleet, and `N` the name of the server. */
export class RunningServer<const F extends FleetFile = FleetFile, const N extends ServerNames<F> = ServerNames<F>> {
  readonly name: N
  /** The name by which the other servers know it: `<server>.<domain>`. */
  readonly hostname: string
  /** Its address on the fleet's network. */
  readonly ip: string
  readonly state: ServerState
  readonly containerId: string
  /** What this server exports, with the values for this process. */
  readonly exports: Exports<F, N>
  readonly #record: StoredRecord
  readonly #report: ServerReport
  readonly #tools: Tools

  /** @internal */
  constructor({ name, record, report, exports, tools }: ServerParts<N>) {
    this.name = name
    this.exports = exports as Exports<F, N>
    this.hostname = report.hostname
    this.ip = report.ip
    this.state = report.state
    this.containerId = report.container
    this.#record = record
    this.#report = report
    this.#tools = tools
  }

  /**
   * Returns where this process reaches a port of the server. Default: the first port of the fleet file.
   *
   * @throws {TestfleetError} PORT_UNREACHABLE when the fleet file does not list the port
   * @example
   * const { host, port } = fleet.server('db').endpoint(5432)
   */
  endpoint<P extends PortsOf<F, N>>(port?: P, protocol?: ProtocolsOf<F, N, P>): Endpoint {
    const endpoint =
      port === undefined ? Object.values(this.#report.endpoints)[0] : findEndpoint(this.#report, port, protocol)
    if (endpoint !== undefined) return endpoint
    throw new TestfleetError('PORT_UNREACHABLE', `${this.name} has no published port ${port ?? ''}`.trimEnd(), {
      server: this.name,
      hint: 'List the port in `ports`.',
    })
  }

  /**
   * Runs a command inside the server, as a list of arguments; an exit code other than 0 is a result, not a failure.
   *
   * @throws {TestfleetError} COMMAND_NOT_FOUND, NOT_RUNNING, OUTPUT_TOO_LONG
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { signal } = options
    const tools = signal === undefined ? this.#tools : { ...this.#tools, signal }
    return (await import('./calls/exec.ts')).execCollected(this.#record, this.name, command, options, tools)
  }

  /** All that it has logged so far, both streams, in lines. */
  async logs(): Promise<string[]> {
    const lines: string[] = []
    const request = { servers: [this.name], follow: false, tail: undefined, timestamps: false }
    for await (const { text } of readLogs(this.#record, request, this.#tools)) lines.push(text)
    return lines
  }
}
