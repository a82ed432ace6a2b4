import type { Control } from '../control/verbs.ts'
import type { ServerState } from '../model/events.ts'
import type { ServerReport } from '../model/running.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import type { Operate } from './operation.ts'
import type { Refreshed, ServerParts } from './server-parts.ts'
import type { CallOptions } from './types/options.ts'
import type {
  CopyOptions,
  CopyResult,
  ForceOptions,
  RestartServerOptions,
  StartServerOptions,
  StopServerOptions,
  WaitOptions,
} from './types/servers.ts'

/** What can be asked of a server, and done to it, while its session runs. */
export class ServerControls {
  /** @internal */
  protected readonly serverName: string
  /** The name by which the other servers know it: `<server>.<domain>`. */
  readonly hostname: string
  /** @internal */
  protected readonly record: StoredRecord
  /** @internal */
  protected readonly operate: Operate
  readonly #reports: Record<string, ServerReport>
  /** @internal */
  protected exported: Readonly<Record<string, string>>

  /** @internal */
  constructor({ name, record, reports, exports, operate }: ServerParts) {
    this.serverName = name
    this.record = record
    this.operate = operate
    this.#reports = reports
    this.exported = exports
    this.hostname = this.report.hostname
  }

  /** @internal */
  protected get report(): ServerReport {
    return this.#reports[this.serverName] as ServerReport
  }

  /** Its address on the fleet's network. Empty when this handle has stopped it. */
  get ip(): string {
    return this.report.ip
  }

  /** Id of its container. */
  get containerId(): string {
    return this.report.container
  }

  /**
   * Returns the state of the server now: its ready checks are run again.
   *
   * @throws {TestfleetError} NO_SESSION when the session was taken down, NOT_FOUND when the container was removed
   * @example
   * if ((await fleet.server('db').state()) !== 'ready') …
   */
  async state(options: CallOptions = {}): Promise<ServerState> {
    return (await this.inspect(options)).state
  }

  /**
   * Returns what `ps --json` reports about this server: state, exit code, address, endpoints, image, packages.
   *
   * @throws {TestfleetError} NO_SESSION, NOT_FOUND
   * @example
   * const { state, exitCode } = await fleet.server('db').inspect()
   */
  async inspect(options: CallOptions = {}): Promise<ServerReport> {
    const report = await this.operate('inspect', options, async (tools) => {
      return (await import('./calls/servers.ts')).inspectServer(this.handle(tools))
    })
    this.#reports[this.serverName] = report
    return report
  }

  /**
   * Starts the server after `stop` or `kill`, in the same container, and waits until it is ready. A port without a number
   * in the fleet file can get another number on this machine: afterwards, `endpoint` and `exports` have the new one.
   *
   * @throws {TestfleetError} NOT_RUNNING for a paused server, START_FAILED, PORT_TAKEN, SERVER_DIED, READY_TIMEOUT
   * @example
   * await fleet.server('db').start()
   */
  start(options: StartServerOptions = {}): Promise<void> {
    return this.#control({ verb: 'start', waits: options.wait !== false }, options)
  }

  /**
   * Stops the server: by its stop signal, and by force once its grace period is over. Container and files stay.
   *
   * @throws {TestfleetError} SESSION_BUSY when others hold the session and `force` is not set
   * @example
   * await fleet.server('db').stop({ graceMs: 1000 })
   */
  stop(options: StopServerOptions = {}): Promise<void> {
    return this.#control({ verb: 'stop', graceMs: options.graceMs }, options)
  }

  /**
   * Stops and starts the server, and waits until it is ready.
   *
   * @throws {TestfleetError} SESSION_BUSY, START_FAILED, PORT_TAKEN, SERVER_DIED, READY_TIMEOUT
   * @example
   * await fleet.server('db').restart()
   */
  restart(options: RestartServerOptions = {}): Promise<void> {
    const waits = options.wait !== false
    return this.#control({ verb: 'restart', waits, graceMs: options.graceMs }, options)
  }

  /**
   * Sends a signal to the server's first process. Default: SIGKILL, which is a crash.
   *
   * @throws {TestfleetError} NOT_RUNNING, SESSION_BUSY, USAGE for an unknown signal
   * @example
   * await fleet.server('web').kill('SIGHUP')
   */
  kill(signal: string = 'SIGKILL', options: ForceOptions = {}): Promise<void> {
    return this.#control({ verb: 'kill', signal }, options)
  }

  /**
   * Freezes all processes of the server: it keeps its connections and answers nothing.
   *
   * @throws {TestfleetError} NOT_RUNNING, SESSION_BUSY
   * @example
   * await fleet.server('db').pause()
   * await expect(client.query('select 1', { timeoutMs: 500 })).rejects.toThrow()
   */
  pause(options: ForceOptions = {}): Promise<void> {
    return this.#control({ verb: 'pause' }, options)
  }

  /**
   * Ends a pause, and waits until the server is ready.
   *
   * @throws {TestfleetError} NOT_RUNNING when it has ended, READY_TIMEOUT
   * @example
   * await fleet.server('db').resume()
   */
  resume(options: StartServerOptions = {}): Promise<void> {
    return this.#control({ verb: 'resume', waits: options.wait !== false }, options)
  }

  /**
   * Copies a file or folder of this machine into the server, whether it runs or not, as `docker cp` does.
   *
   * @throws {TestfleetError} COPY_FAILED
   * @example
   * await fleet.server('db').copyTo('fixtures/seed.sql', '/tmp/')
   */
  async copyTo(from: string, to: string, options: CopyOptions = {}): Promise<CopyResult> {
    return this.operate('copyTo', options, async (tools) => {
      return (await import('./calls/servers.ts')).copyToServer(this.handle(tools), from, to, options)
    })
  }

  /**
   * Copies a file or folder of the server to this machine. Links that lead out of the copy, devices and pipes are left out,
   * which a `warning` event reports.
   *
   * @throws {TestfleetError} COPY_FAILED
   * @example
   * await fleet.server('web').copyFrom('/var/log/nginx', 'logs')
   */
  async copyFrom(from: string, to: string, options: CopyOptions = {}): Promise<CopyResult> {
    return this.operate('copyFrom', options, async (tools) => {
      return (await import('./calls/servers.ts')).copyOutOfServer(this.handle(tools), from, to, options)
    })
  }

  /**
   * Resolves once every ready check of the server passes, or once it has completed.
   *
   * @throws {TestfleetError} READY_TIMEOUT, NOT_RUNNING, SERVER_DIED
   * @example
   * await db.start({ wait: false })
   * await db.waitUntilReady({ timeoutMs: 10_000 })
   */
  async waitUntilReady(options: WaitOptions = {}): Promise<void> {
    await this.operate('waitUntilReady', options, async (tools) => {
      await (await import('./calls/servers.ts')).awaitServer(this.handle(tools), options)
    })
  }

  /** @internal */
  protected async findRecord(tools: Tools): Promise<StoredRecord> {
    return (await import('./calls/servers.ts')).findRecord(this.handle(tools))
  }

  /** @internal */
  protected handle(tools: Tools): { readonly name: string; readonly record: StoredRecord; readonly tools: Tools } {
    return { name: this.serverName, record: this.record, tools }
  }

  async #control(control: Control, options: ForceOptions): Promise<void> {
    const refreshed = await this.operate(control.verb, options, async (tools) => {
      return (await import('./calls/servers.ts')).controlServer(this.handle(tools), control, options)
    })
    this.refresh(refreshed)
  }

  /** @internal */
  protected refresh({ report, exports }: Refreshed): void {
    this.#reports[this.serverName] = report
    this.exported = exports ?? this.exported
  }
}
