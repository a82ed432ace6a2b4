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

/**
 * One server of a running fleet. `F` is the type of the fleet, and `N` the name of the server.
 *
 * @example
 * const db = fleet.server('db')
 * const { stdout } = await db.exec(['psql', '-Atc', 'select 1'])
 */
export class RunningServer<const F extends FleetFile = FleetFile, const N extends ServerNames<F> = ServerNames<F>> {
  /** Name of the server in the fleet file. */
  readonly name: N
  /** Host name by which the other servers know it: `<server>.<domain>`. */
  readonly hostname: string
  /** Address on the fleet's network. */
  readonly ip: string
  /** State when the fleet was handed over. */
  readonly state: ServerState
  /** Id of the container that it runs in. */
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
   * Runs a command, given as a list of arguments, inside the server. An exit code other than 0 is a result, not a failure.
   *
   * @throws {TestfleetError} COMMAND_NOT_FOUND, NOT_RUNNING, OUTPUT_TOO_LONG
   * @example
   * const { exitCode, stdout } = await fleet.server('db').exec(['psql', '-Atc', 'select 1'])
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { signal } = options
    const tools = signal === undefined ? this.#tools : { ...this.#tools, signal }
    return (await import('./calls/exec.ts')).execCollected(this.#record, this.name, command, options, tools)
  }

  /**
   * Returns the lines that the server has logged so far, on both streams.
   *
   * @throws {TestfleetError} ENGINE_LOST and the other codes of engines
   * @example
   * expect(await fleet.server('web').logs()).toContainEqual(expect.stringContaining('GET /'))
   */
  async logs(): Promise<string[]> {
    const lines: string[] = []
    const request = { servers: [this.name], follow: false, tail: undefined, timestamps: false }
    for await (const { text } of readLogs(this.#record, request, this.#tools)) lines.push(text)
    return lines
  }
}
