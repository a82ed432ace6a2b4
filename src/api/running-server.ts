import { splitKey, toUrl } from '../endpoints/endpoint-url.ts'
import { TestfleetError } from '../model/failures.ts'
import { findEndpoint } from '../model/find-endpoint.ts'
import type { FleetFile } from '../model/fleet-file.ts'
import { say } from '../model/surface.ts'
import { checkCommand, checkOptions } from './check-options.ts'
import { ServerStates } from './server-states.ts'
import type { ExecOptions, ExecResult, ServerProcess, SpawnOptions } from './types/exec.ts'
import type { Exports, PortsOf, ProtocolsOf, ServerNames } from './types/fleet-types.ts'
import type { LogLine, ServerLogsOptions } from './types/logs.ts'
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
> extends ServerStates {
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
    if (found === undefined || key === undefined) throw this.#noEndpoint(port, protocol)
    const checks = this.record.servers[this.name]?.ready ?? []
    return { ...found, protocol: splitKey(key)[1], url: toUrl(found, key, checks) }
  }

  #noEndpoint(port: number | undefined, protocol: string | undefined): TestfleetError {
    const isStopped = this.report.ip === '' && (this.record.servers[this.name]?.ports.length ?? 0) > 0
    const wanted = [port, protocol].filter((one) => one !== undefined).join('/')
    const message = isStopped ? `${this.name} does not run` : `${this.name} has no published port ${wanted}`.trimEnd()
    const hint = isStopped ? `Run ${say('control', 'start', this.name)}.` : 'List the port in `ports`.'
    return new TestfleetError('PORT_UNREACHABLE', message, { server: this.name, hint })
  }

  /**
   * Runs a command, given as a list of arguments, inside the server. An exit code other than 0 is a result, not a failure.
   *
   * @throws {TestfleetError} USAGE, COMMAND_NOT_FOUND, NOT_RUNNING, OUTPUT_TOO_LONG
   * @example
   * const { exitCode, stdout } = await fleet.server('db').exec(['psql', '-Atc', 'select 1'])
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    checkCommand(command)
    return this.operate('exec', options, async (tools) => {
      const { execCollected } = await import('./calls/exec.ts')
      return execCollected(await this.findRecord(tools), this.name, command, options, tools)
    })
  }

  /**
   * Starts a command inside the server, to read its output while it runs and to write to its input.
   *
   * @throws {TestfleetError} USAGE, COMMAND_NOT_FOUND, NOT_RUNNING
   * @example
   * await using tail = await fleet.server('web').spawn(['tail', '-F', '/var/log/nginx/access.log'])
   * for await (const { text } of tail.output) if (text.includes('GET /')) break
   */
  async spawn(command: readonly string[], options: SpawnOptions = {}): Promise<ServerProcess> {
    checkCommand(command)
    return this.operate('exec', options, async (tools) => {
      const { spawnInServer } = await import('./calls/spawn.ts')
      return spawnInServer(await this.findRecord(tools), this.name, command, options, tools)
    })
  }

  /**
   * Returns the lines that the server has logged, on both streams; with `follow`, also those to come, until it ends.
   * Leaving the loop ends the reading.
   *
   * @throws {TestfleetError} USAGE, ENGINE_LOST and the other codes of engines
   * @example
   * for await (const { text } of fleet.server('web').logs({ follow: true })) if (text.includes('GET /')) break
   */
  async *logs(options: ServerLogsOptions = {}): AsyncGenerator<LogLine, void, undefined> {
    checkOptions(options)
    const { follow = false, tail, since, timestamps = false } = options
    const request = { servers: [this.name], follow, tail, sinceMs: since?.getTime(), timestamps }
    const { record, tools } = await this.operate('logs', options, async (own) => {
      return { record: await this.findRecord(own), tools: own }
    })
    const { readLogs } = await import('../logs.ts')
    yield* readLogs(record, request, tools)
  }
}
