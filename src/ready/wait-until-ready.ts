import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import type { Standing } from './choose-hint.ts'
import { explainDeath, explainRefusal, explainTimeout } from './explain-failure.ts'
import { type CheckSubject, type RunningCheck, runCheck } from './run-check.ts'

export interface WaitOptions {
  readonly checks: readonly ReadyCheck[]
  readonly timeoutMs: number
  readonly signal: AbortSignal
  onAnswer(check: string, answer: string | undefined, tookMs?: number): void
  onHold?(check: string, tookMs?: number): void
  /** Whether only the state is wanted, and no explanation of it. */
  readonly isLook?: boolean | undefined
  /** How long a login must be refused before the wait ends; 5 s by default. */
  readonly refusalMs?: number
}

/** A server without checks is ready when it has lived this long. */
const UNCHECKED_LIFE_MS = 200
/** A server that is ready sooner, like most that ran before, needs no connection that watches for its end. */
const UNWATCHED_MS = 100

/**
 * Resolves once every check passes; with true when the server has ended as its `exit` check expects.
 * Fails with READY_TIMEOUT or LOGIN_REFUSED, or at once with SERVER_DIED when the container ends on the way.
 */
export async function waitUntilReady(subject: CheckSubject, options: WaitOptions): Promise<boolean> {
  const exit = options.checks.find((check) => check.kind === 'exit')
  const checks = options.checks
    .filter((check) => check.kind !== 'exit')
    .map((check) => ({ ...runCheck(check, subject), check }))
  const answers = new LastAnswers()
  const stop = new AbortController()
  const untilMs = performance.now() + options.timeoutMs
  const deadline = AbortSignal.timeout(options.timeoutMs)
  const signal = AbortSignal.any([options.signal, deadline, stop.signal])
  const hold = async (running: RunningCheck & { check: ReadyCheck }): Promise<void> => {
    const { name, check } = running
    options.onAnswer(name, undefined)
    answers.note(check, 'no answer yet')
    const onAnswer = (answer: string, isRefusal?: boolean, tookMs?: number): void => {
      answers.note(check, answer, isRefusal)
      options.onAnswer(name, answer, tookMs)
      if (answers.areRefusals(options.refusalMs ?? STEADY_REFUSAL_MS)) throw new SteadyRefusal()
    }
    const tookMs = await running.hold(signal, onAnswer, untilMs)
    answers.forget(check)
    options.onHold?.(name, tookMs)
  }
  const death = sleep(UNWATCHED_MS, undefined, { signal }).then(() =>
    subject.runtime.waitServer(subject.containerId, { signal }),
  )
  const liveOn = async (): Promise<void> => {
    for (let isRestarting = true; isRestarting; ) {
      await sleep(UNCHECKED_LIFE_MS, undefined, { signal })
      const now = await subject.runtime.inspectServer(subject.containerId, { signal })
      // A busy engine reports an end later than that.
      if (now.exitCode !== undefined && !now.isRestarting) await death
      isRestarting = now.isRestarting
    }
  }
  const explainEndOfWait = async (error: unknown): Promise<unknown> => {
    if (error instanceof SteadyRefusal) return explainRefusal(subject, answers.list(), options.signal)
    if (!deadline.aborted || isFailure(error)) return error
    if (options.isLook) return new TestfleetError('READY_TIMEOUT', `${subject.server} is not ready`)
    return explainTimeout(subject, options.timeoutMs, answers.list(), options.signal)
  }
  const isUnchecked = checks.length === 0 && exit === undefined
  const probes = isUnchecked ? liveOn() : Promise.all(checks.map(hold))
  if (exit !== undefined) answers.note(exit, 'it still runs')
  // The loser of the race below is cancelled; its rejection does not matter.
  probes.catch(() => {})
  death.catch(() => {})
  try {
    if (exit === undefined) {
      const exitCode = await Promise.race([probes.then(() => undefined), death])
      if (exitCode !== undefined) throw await explainDeath(subject, exitCode, undefined, options.signal)
      return false
    }
    const exitCode = await Promise.race([death, probes.then(() => death)])
    if (exitCode !== exit.code) throw await explainDeath(subject, exitCode, exit.code, options.signal)
    await probes
    return true
  } catch (error) {
    options.signal.throwIfAborted()
    if (isFailure(error, 'SERVER_DIED')) throw error
    // A check of a server that has ended can fail in any way: it publishes no port, runs no command, has no files.
    const died = await findDeath(subject, exit?.code, options.signal)
    throw died ?? (await explainEndOfWait(error))
  } finally {
    stop.abort()
  }
}

/** A server can answer before its users exist, for example if its own script creates them. */
const STEADY_REFUSAL_MS = 5000

class SteadyRefusal extends Error {}

interface LastAnswer {
  readonly answer: string
  readonly sinceMs: number
  /** Since when the login has been refused, without another answer in between. */
  readonly refusedSinceMs: number | undefined
}

/** The last answer of each failing check, and since when. */
class LastAnswers {
  readonly #last = new Map<ReadyCheck, LastAnswer>()

  note(check: ReadyCheck, answer: string, isRefusal = false): void {
    const before = this.#last.get(check)
    const nowMs = performance.now()
    const sinceMs = before?.answer === answer ? before.sinceMs : nowMs
    const refusedSinceMs = isRefusal ? (before?.refusedSinceMs ?? nowMs) : undefined
    this.#last.set(check, { answer, sinceMs, refusedSinceMs })
  }

  /** Returns whether every failing check has had its login refused for long enough. */
  areRefusals(forMs: number): boolean {
    const latestMs = performance.now() - forMs
    return [...this.#last.values()].every(({ refusedSinceMs = Number.POSITIVE_INFINITY }) => refusedSinceMs <= latestMs)
  }

  forget(check: ReadyCheck): void {
    this.#last.delete(check)
  }

  list(): Standing[] {
    const nowMs = performance.now()
    return [...this.#last].map(([check, { answer, sinceMs }]) => ({ check, answer, sameForMs: nowMs - sinceMs }))
  }
}

/** How long an engine may take to report an end that its other answers already show. */
const LATE_END_MS = 300

/** The failure for the server's end, or undefined when it runs, has ended as expected, or cannot be inspected. */
async function findDeath(
  subject: CheckSubject,
  wantedCode: number | undefined,
  signal: AbortSignal,
): Promise<TestfleetError | undefined> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(LATE_END_MS)])
  const ended = subject.runtime.waitServer(subject.containerId, { signal: patience })
  const exitCode = await ended.catch(() => readExitCode(subject, signal))
  signal.throwIfAborted()
  if (exitCode === undefined || exitCode === wantedCode) return undefined
  return explainDeath(subject, exitCode, wantedCode, signal)
}

/** The exit code of a server that has ended. A busy engine can take longer than LATE_END_MS to report an end of long ago. */
async function readExitCode({ runtime, containerId }: CheckSubject, signal: AbortSignal): Promise<number | undefined> {
  const now = await runtime.inspectServer(containerId, { signal }).catch(() => undefined)
  return now?.isRestarting ? undefined : now?.exitCode
}
