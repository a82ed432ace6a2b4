import { loadFleet } from './config/load-fleet.ts'
import { currentHost } from './current-host.ts'
import { down } from './down.ts'
import { findEndpoint } from './endpoints/environment.ts'
import { openEngine } from './engine/open-engine.ts'
import { execInServer } from './exec.ts'
import { followLogs } from './logs.ts'
import type { ExecResult } from './model/container.ts'
import type { OnEvent, ServerState } from './model/events.ts'
import { TestfleetError } from './model/failures.ts'
import type { FleetFile } from './model/fleet-file.ts'
import type { Endpoint, ServerReport, SessionReport } from './model/running.ts'
import { unknownServer } from './plan/select-servers.ts'
import { collectOutput } from './session/collect-output.ts'
import { readEnvironment } from './session/read-environment.ts'
import { checkSessionName, makeSessionName } from './session/session-name.ts'
import type { Tools } from './session/tools.ts'
import { type UpRequest, up } from './up.ts'
import { BRING_UP_TIMEOUT_MS, withinTime } from './within-time.ts'

export interface StartOptions {
  /** The servers to start, with all that they depend on. Default: all. */
  readonly servers?: readonly string[]
  /** The session's name, of which nothing may be there. Default: the fleet's, with a random end. */
  readonly session?: string
  /** The engine's URL, or `context:NAME`. Default: the one that the docker command would use. */
  readonly engine?: string
  /** `fixed` gives every port the same number on this machine. Default: `free`. */
  readonly bind?: 'free' | 'fixed'
  /** How long the start may take, builds and pulls included; TIMED_OUT after that. Default: half an hour. */
  readonly timeoutMs?: number
  /** Ends the start; what was started is gone when the promise has rejected. */
  readonly signal?: AbortSignal
  /** Told what happens while it happens. */
  readonly onEvent?: OnEvent
  /** Where relative paths start: of a fleet given as an object, and of `source`. Default: the working folder. */
  readonly folder?: string
}

/**
 * Builds, starts, and resolves once every server is ready.
 *
 * @param source The fleet file's path, or the fleet as an object. Default: the nearest fleet file, here or above.
 * @throws {TestfleetError} Any code of the catalogue; what had been started is gone by then, and `bundle` names the
 *   folder with logs.
 * @example
 * await using fleet = await startFleet('./testfleet.yaml', { servers: ['apache2'] })
 * const { host, port } = fleet.server('apache2').endpoint(80)
 */
export async function startFleet(source?: string | FleetFile, options: StartOptions = {}): Promise<RunningFleet> {
  const host = { ...currentHost(), ...(options.folder === undefined ? {} : { workingFolder: options.folder }) }
  const fleet = await loadFleet(
    typeof source === 'object'
      ? { kind: 'object', value: source, folder: host.workingFolder }
      : { kind: 'file', named: source },
    host,
  )
  const session = options.session === undefined ? makeSessionName(fleet.name) : checkSessionName(options.session)
  const engine = await openEngine(options.engine, host)
  const tools: Tools = {
    host,
    engine,
    onEvent: options.onEvent ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
  }
  try {
    const request: UpRequest = {
      fleet,
      servers: options.servers ?? [],
      session,
      isNew: true,
      bind: options.bind ?? 'free',
      keepOnFailure: false,
    }
    const timeoutMs = options.timeoutMs ?? BRING_UP_TIMEOUT_MS
    const report = await withinTime(timeoutMs, tools, (limited) => up(request, limited))
    return await handOver(report, tools)
  } catch (error) {
    engine.close()
    throw error
  }
}

/** A fleet that is up belongs to its caller; until then it is ours to take down. */
async function handOver(report: SessionReport, tools: Tools): Promise<RunningFleet> {
  // The start's own signal has done its work: a fleet is taken down even when that signal has fired since.
  const later = { ...tools, signal: new AbortController().signal }
  try {
    return new RunningFleet(report, await readEnvironment(report, tools), later)
  } catch (error) {
    await down(report.session, later)
    throw error
  }
}

/** A fleet that runs. Take it down with `await using`, or with `down()`. */
export class RunningFleet implements AsyncDisposable {
  readonly session: string
  readonly domain: string
  /** The variables that a command under `testfleet run` gets. */
  readonly environment: Readonly<Record<string, string>>
  readonly #servers: ReadonlyMap<string, RunningServer>
  readonly #tools: Tools
  #end: Promise<void> | undefined

  /** @internal */
  constructor(report: SessionReport, environment: Readonly<Record<string, string>>, tools: Tools) {
    this.session = report.session
    this.domain = report.domain
    this.environment = environment
    this.#tools = tools
    this.#servers = new Map(
      Object.entries(report.servers).map(([name, server]) => [
        name,
        new RunningServer(name, report.session, server, tools),
      ]),
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

  /** Removes all that the session has on the engine. A second call waits for the first. @throws {TestfleetError} CLEANUP_FAILED */
  down(): Promise<void> {
    this.#end ??= this.#takeDown()
    return this.#end
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down()
  }

  async #takeDown(): Promise<void> {
    try {
      await down(this.session, this.#tools)
    } finally {
      this.#tools.engine.close()
    }
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
  readonly #session: string
  readonly #report: ServerReport
  readonly #tools: Tools

  /** @internal */
  constructor(name: string, session: string, report: ServerReport, tools: Tools) {
    this.name = name
    this.hostname = report.hostname
    this.ip = report.ip
    this.state = report.state
    this.containerId = report.container
    this.#session = session
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
   * @throws {TestfleetError} COMMAND_NOT_FOUND, SERVER_DIED
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input, signal, ...rest } = options
    const tools = signal === undefined ? this.#tools : { ...this.#tools, signal }
    const request = { command, ...rest, stdin: input !== undefined }
    const running = await execInServer(this.#session, this.name, request, tools)
    if (input !== undefined) {
      running.write(typeof input === 'string' ? Buffer.from(input) : input)
      running.endInput()
    }
    return collectOutput(running)
  }

  /** All that it has logged so far, both streams, in lines. */
  async logs(): Promise<string[]> {
    const lines: string[] = []
    const request = { session: this.#session, servers: [this.name], follow: false, tail: undefined, timestamps: false }
    await followLogs(request, this.#tools, ({ text }) => lines.push(text))
    return lines
  }
}
