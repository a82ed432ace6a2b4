import { splitKey, toUrl } from '../endpoints/endpoint-url.ts'
import { findEndpoint } from '../endpoints/environment.ts'
import { readLogs } from '../logs.ts'
import { TestfleetError } from '../model/failures.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import { ServerControls } from './server-controls.ts'
import type { ExecOptions, ExecResult } from './types/exec.ts'
import type { Exports, PortsOf, ProtocolsOf, ServerNames } from './types/fleet-types.ts'
import type { ServerEndpoint } from './types/servers.ts'

/**
 * One server of a running fleet. `F` is the type of the fleet, and `N` the name of the server.
 *
 * @example
 * const db = fleet.server('db')
 * const { stdout } = await db.exec(['psql', '-Atc', 'select 1'])
 */
export class RunningServer<
  const F extends FleetFile = FleetFile,
  const N extends ServerNames<F> = ServerNames<F>,
> extends ServerControls {
  /** Name of the server in the fleet file. */
  get name(): N {
    return this.serverName as N
  }

  /** What this server exports, with the values for this process. A start or restart renews them. */
  get exports(): Exports<F, N> {
    return this.exported as Exports<F, N>
  }

  /**
   * Returns where this process reaches a port of the server. Default: the first port of the fleet file.
   *
   * @throws {TestfleetError} PORT_UNREACHABLE when the fleet file does not list the port
   * @example
   * const { host, port, url } = fleet.server('db').endpoint(5432)
   */
  endpoint<P extends PortsOf<F, N>>(port?: P, protocol?: ProtocolsOf<F, N, P>): ServerEndpoint {
    const { endpoints } = this.report
    const found = port === undefined ? Object.values(endpoints)[0] : findEndpoint(this.report, port, protocol)
    const key = Object.keys(endpoints).find((one) => endpoints[one] === found)
    if (found === undefined || key === undefined) throw this.#noEndpoint(port)
    const checks = this.record.servers[this.name]?.ready ?? []
    return { ...found, protocol: splitKey(key)[1], url: toUrl(found, key, checks) }
  }

  #noEndpoint(port: number | undefined): TestfleetError {
    const isStopped = this.report.ip === '' && (this.record.servers[this.name]?.ports.length ?? 0) > 0
    const message = isStopped
      ? `${this.name} does not run`
      : `${this.name} has no published port ${port ?? ''}`.trimEnd()
    const hint = isStopped ? 'Start it first: await server.start().' : 'List the port in `ports`.'
    return new TestfleetError('PORT_UNREACHABLE', message, { server: this.name, hint })
  }

  /**
   * Runs a command, given as a list of arguments, inside the server. An exit code other than 0 is a result, not a failure.
   *
   * @throws {TestfleetError} COMMAND_NOT_FOUND, NOT_RUNNING, OUTPUT_TOO_LONG
   * @example
   * const { exitCode, stdout } = await fleet.server('db').exec(['psql', '-Atc', 'select 1'])
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return this.operate('exec', options, async (tools) => {
      return (await import('./calls/exec.ts')).execCollected(this.record, this.name, command, options, tools)
    })
  }

  /**
   * Returns the lines that the server has logged so far, on both streams.
   *
   * @throws {TestfleetError} ENGINE_LOST and the other codes of engines
   * @example
   * expect(await fleet.server('web').logs()).toContainEqual(expect.stringContaining('GET /'))
   */
  async logs(): Promise<string[]> {
    const request = { servers: [this.name], follow: false, tail: undefined, timestamps: false }
    return this.operate('logs', {}, async (tools) => {
      const lines: string[] = []
      for await (const { text } of readLogs(this.record, request, tools)) lines.push(text)
      return lines
    })
  }
}
