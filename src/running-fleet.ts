import { findEndpoint } from './endpoints/environment.ts'
import { execInServer } from './exec.ts'
import { followLogs } from './logs.ts'
import type { ExecResult } from './model/container.ts'
import type { ServerState } from './model/events.ts'
import { TestfleetError } from './model/failures.ts'
import type { Endpoint, ServerReport, SessionReport } from './model/running.ts'
import { unknownServer } from './plan/reconcile.ts'
import { collectOutput } from './report/collect-output.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

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
  readonly #leave: () => Promise<void>
  #end: Promise<void> | undefined

  /** @internal */
  constructor(
    record: StoredRecord,
    report: SessionReport,
    environment: Readonly<Record<string, string>>,
    certificateAuthority: string | undefined,
    tools: Tools,
    leave: () => Promise<void>,
  ) {
    this.#leave = leave
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
   * Leaves the session, and removes all that it has on the engine if nobody else holds it. A second call waits for the
   * first; after a failure, it tries again. A process that ends without this call, or is killed, has left all the same.
   *
   * @throws {TestfleetError} CLEANUP_FAILED
   */
  down(): Promise<void> {
    this.#end ??= this.#takeDown()
    return this.#end
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down()
  }

  async #takeDown(): Promise<void> {
    const { engine, recorder } = this.#tools
    try {
      await this.#leave()
    } catch (error) {
      // The engine stays open for the next try; its idle connections hold up no process.
      this.#end = undefined
      throw recorder.addThrown(error)
    }
    engine.close()
    recorder.thrown.throwIfAborted()
  }
}

export interface ExecOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly user?: string
  readonly workingDir?: string
  /** What the command reads from its standard input. */
  readonly input?: string | Uint8Array
  readonly signal?: AbortSignal
}

/** One server of a fleet that runs. */
export class RunningServer {
  readonly name: string
  /** The name by which the other servers know it: `<server>.<domain>`. */
  readonly hostname: string
  /** Its address on the fleet's network. */
  readonly ip: string
  readonly state: ServerState
  readonly containerId: string
  readonly #record: StoredRecord
  readonly #report: ServerReport
  readonly #tools: Tools

  /** @internal */
  constructor(name: string, record: StoredRecord, report: ServerReport, tools: Tools) {
    this.name = name
    this.hostname = report.hostname
    this.ip = report.ip
    this.state = report.state
    this.containerId = report.container
    this.#record = record
    this.#report = report
    this.#tools = tools
  }

  /**
   * Where a test reaches a port of this server. Default: its first.
   *
   * @throws {TestfleetError} PORT_UNREACHABLE when the fleet file does not list the port
   */
  endpoint(port?: number, protocol?: 'tcp' | 'udp' | 'sctp'): Endpoint {
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
   * @throws {TestfleetError} COMMAND_NOT_FOUND, SERVER_DIED, OUTPUT_TOO_LONG
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input, signal, ...rest } = options
    const tools = signal === undefined ? this.#tools : { ...this.#tools, signal }
    const request = { command, ...rest, stdin: input !== undefined }
    const running = await execInServer(this.#record, this.name, request, tools)
    if (input !== undefined) {
      void running.write(typeof input === 'string' ? Buffer.from(input) : input)
      running.endInput()
    }
    return collectOutput(running)
  }

  /** All that it has logged so far, both streams, in lines. */
  async logs(): Promise<string[]> {
    const lines: string[] = []
    const request = { servers: [this.name], follow: false, tail: undefined, timestamps: false }
    await followLogs(this.#record, request, this.#tools, ({ text }) => lines.push(text))
    return lines
  }
}
