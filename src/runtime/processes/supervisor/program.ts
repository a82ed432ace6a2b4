import { constants } from 'node:os'
import type { ContainerState, OutputStream } from '../../../model/container.ts'
import type { ContainerChange } from '../../../model/container-event.ts'
import type { LogWriter } from '../log-writer.ts'
import { readProcess, send } from '../process-table.ts'
import { awaitTree, findTree, killTree, sendToTree, type TreeOf } from '../process-tree.ts'
import type { ProgramSpec, ServerState } from '../protocol.ts'
import { endRun, type KnownProcess, noteRun } from '../server-folder.ts'
import { refuseForeign } from './check-port.ts'
import { Lookout } from './lookout.ts'
import { refuseDeaf, refused, unkillable } from './refusals.ts'
import { type ProgramPlace, type StartedProgram, startProgram } from './start-program.ts'

export interface ProgramHost extends ProgramPlace {
  readonly log: LogWriter
  note(change: ContainerChange): void
  /** Called when something was printed, and when the program has ended. */
  onOutput(): void
}

/** Time for output that is still in its pipes when the program has ended. */
const DRAIN_MS = 2000
const FIRST_RESTART_MS = 100
const LONGEST_RESTART_MS = 60_000

/** The program of a server: what Docker's daemon is to the first process of a container. */
export class Program {
  readonly #spec: ProgramSpec
  readonly #host: ProgramHost
  #state: ContainerState = 'created'
  #root: KnownProcess | undefined
  readonly #lookout = new Lookout()
  #exitCode: number | undefined
  #restarts = 0
  #restartTimer: NodeJS.Timeout | undefined
  #isAsked = false
  #startedAtMs = 0
  #endedAtMs = 0
  #starting: Promise<void> | undefined
  #startLimit: AbortController | undefined
  #stopping: Promise<boolean> | undefined
  #ended = Promise.withResolvers<void>()

  constructor(spec: ProgramSpec, host: ProgramHost) {
    this.#spec = spec
    this.#host = host
  }

  describe(): ServerState {
    const isRestarting = this.#restartTimer !== undefined
    return {
      state: this.#state,
      processId: this.#root?.pid,
      exitCode: this.isUp() && !isRestarting ? undefined : this.#exitCode,
      restarts: this.#restarts,
      isRestarting,
      startedAtMs: this.#startedAtMs,
      endedAtMs: this.#endedAtMs,
    }
  }

  isUp(): boolean {
    return this.#state === 'running' || this.#state === 'paused'
  }

  async start(): Promise<void> {
    if (this.isUp()) return
    this.#starting ??= this.#begin().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #begin(): Promise<void> {
    this.#isAsked = false
    this.#restarts = 0
    await this.#run()
    this.#ended = Promise.withResolvers()
    this.#state = 'running'
  }

  async #run(): Promise<void> {
    const { note } = this.#host
    const limit = new AbortController()
    this.#startLimit = limit
    const say = (line: string): void => this.#say(`testfleet: ${line}`)
    const started = await startProgram(this.#spec, this.#host, { say, signal: limit.signal })
    const pid = started.child.pid ?? 0
    this.#root = readProcess(pid) ?? { pid, startedAt: '' }
    this.#startedAtMs = Date.now()
    noteRun(this.#host.folder, this.#root)
    note({ kind: 'started' })
    this.#lookout.begin(this.#root)
    void this.#follow(started)
  }

  async #follow({ child, stdout, stderr, close }: StartedProgram): Promise<void> {
    const drained = Promise.all([this.#read('stdout', stdout), this.#read('stderr', stderr)])
    const exited = Promise.withResolvers<number>()
    child.once('exit', (code, signal) =>
      exited.resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    )
    const exitCode = await exited.promise
    close()
    // Its children have the rest of the grace period when it is being stopped; else they end with it.
    await (this.#stopping ?? this.#killAll()).catch(() => {})
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, DRAIN_MS))])
    this.#host.log.flush()
    stdout.destroy()
    stderr.destroy()
    this.#lookout.end()
    this.#root = undefined
    this.#exitCode = exitCode
    this.#endedAtMs = Date.now()
    const restartsNow = exitCode !== 0 && !this.#isAsked && this.#restarts < this.#spec.restarts
    endRun(this.#host.folder)
    this.#host.note({ kind: 'exited', exitCode })
    if (restartsNow) this.#restartLater()
    else this.#end()
  }

  #read(stream: OutputStream, output: StartedProgram['stdout']): Promise<void> {
    return new Promise((resolve) => {
      output
        .on('data', (chunk: Buffer) => {
          this.#host.log.write(stream, chunk)
          this.#host.onOutput()
        })
        .once('close', resolve)
        .on('error', () => {})
    })
  }

  #restartLater(): void {
    const pauseMs = Math.min(FIRST_RESTART_MS * 2 ** this.#restarts, LONGEST_RESTART_MS)
    this.#restarts += 1
    this.#state = 'running'
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined
      // A stop that comes meanwhile waits for it: the program could start right after its processes were looked for.
      this.#starting = this.#run()
        .catch((error: Error) => {
          this.#say(error.message)
          this.#end()
        })
        .finally(() => {
          this.#starting = undefined
        })
    }, pauseMs)
  }

  #say(line: string): void {
    this.#host.log.write('stderr', Buffer.from(`${line}\n`))
  }

  #end(): void {
    clearTimeout(this.#restartTimer)
    this.#restartTimer = undefined
    this.#state = 'exited'
    this.#ended.resolve()
    this.#host.onOutput()
  }

  /** Resolves once it has ended and is not started again. */
  async wait(): Promise<void> {
    if (this.isUp()) await this.#ended.promise
  }

  /**
   * Sends its stop signal to all processes, and kills those that are left at the end of the grace period. Resolves with
   * whether that was necessary.
   */
  async stop(graceMs: number): Promise<boolean> {
    this.#startLimit?.abort(refused('it was stopped while it was being started'))
    await this.#starting?.catch(() => {})
    if (!this.isUp()) return false
    this.#isAsked = true
    if (this.#restartTimer !== undefined) {
      this.#end()
      return false
    }
    // A second call with a shorter time, as by a second Ctrl-C, does not wait for the first one.
    if (this.#stopping !== undefined && graceMs === 0) await this.#killAll()
    this.#stopping ??= this.#stopAll(graceMs).finally(() => {
      this.#stopping = undefined
    })
    const wasKilled = await this.#stopping
    await this.#ended.promise
    return wasKilled
  }

  async #stopAll(graceMs: number): Promise<boolean> {
    let isOver = false
    if (graceMs > 0) {
      sendToTree(this.#tree(), this.#spec.stopSignal)
      if (this.#state === 'paused') sendToTree(this.#tree(), 'SIGCONT')
      isOver = await awaitTree(this.#tree(), graceMs)
    }
    if (!isOver) await this.#killAll()
    return graceMs > 0 && !isOver
  }

  async #killAll(): Promise<boolean> {
    const left = await killTree(this.#tree())
    if (left.length === 0) return false
    throw unkillable(left)
  }

  #tree(): TreeOf {
    return { id: this.#host.id, userId: this.#host.userId, root: this.#root, known: this.#lookout.known }
  }

  /** Fails with PORT_TAKEN when another program listens at one of its ports. */
  confirmPorts(): void {
    if (!this.isUp() || this.#spec.ports.length === 0) return
    const pids = findTree(this.#tree())
    for (const port of this.#spec.ports) refuseForeign(port, pids)
  }

  kill(signal: string): void {
    const pid = this.#requireRoot()
    if (!(signal in constants.signals)) throw refused(`there is no signal ${signal} on this machine`)
    if (signal === 'SIGKILL') this.#isAsked = true
    refuseDeaf(send([pid], signal as NodeJS.Signals), signal)
    this.#host.note({ kind: 'signalled', signal })
  }

  pause(): void {
    this.#requireRoot()
    if (this.#state === 'paused') return
    const deaf = sendToTree(this.#tree(), 'SIGSTOP')
    if (deaf.length > 0) sendToTree(this.#tree(), 'SIGCONT')
    refuseDeaf(deaf, 'SIGSTOP')
    this.#state = 'paused'
    this.#host.note({ kind: 'paused' })
  }

  resume(): void {
    if (!this.isUp()) throw refused('it does not run')
    if (this.#state !== 'paused') return
    sendToTree(this.#tree(), 'SIGCONT')
    this.#state = 'running'
    this.#host.note({ kind: 'resumed' })
  }

  #requireRoot(): number {
    if (this.#root === undefined) throw refused('it does not run')
    return this.#root.pid
  }
}
