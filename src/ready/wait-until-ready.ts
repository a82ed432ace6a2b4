import { setTimeout as sleep } from 'node:timers/promises'
import { readText } from '../engine/output-text.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import { nameCheck, type RunningCheck } from './check.ts'
import { findMissingCapabilities } from './missing-capability.ts'
import { type CheckSubject, runCheck } from './run-check.ts'

export interface WaitOptions {
  readonly checks: readonly ReadyCheck[]
  readonly timeoutMs: number
  readonly signal: AbortSignal
  onAnswer(check: string, answer: string | undefined): void
  onHold?(check: string): void
}

/** A server that can be asked nothing must at least have lived this long. */
const UNCHECKED_LIFE_MS = 200
/** A server that is ready sooner, as most that run already are, costs no connection that watches for its end. */
const UNWATCHED_MS = 100
const LAST_LOG_LINES = 20

/**
 * Resolves once every check holds; true when the server has done its work and ended as an `exit` check wants it.
 * Fails with READY_TIMEOUT, or at once with SERVER_DIED when the container ends on the way.
 */
export async function waitUntilReady(subject: CheckSubject, options: WaitOptions): Promise<boolean> {
  const exit = options.checks.find((check) => check.kind === 'exit')
  const checks = options.checks.filter((check) => check.kind !== 'exit').map((check) => runCheck(check, subject))
  const lastAnswers = new Map<string, string>()
  const stop = new AbortController()
  const deadline = AbortSignal.timeout(options.timeoutMs)
  const signal = AbortSignal.any([options.signal, deadline, stop.signal])
  const hold = async (check: RunningCheck): Promise<void> => {
    options.onAnswer(check.name, undefined)
    lastAnswers.set(check.name, 'no answer yet')
    await check.hold(signal, (answer) => {
      lastAnswers.set(check.name, answer)
      options.onAnswer(check.name, answer)
    })
    lastAnswers.delete(check.name)
    options.onHold?.(check.name)
  }
  if (exit !== undefined) lastAnswers.set(nameCheck(exit), 'it still runs')
  const probes =
    checks.length === 0 && exit === undefined
      ? sleep(UNCHECKED_LIFE_MS, undefined, { signal })
      : Promise.all(checks.map(hold))
  const death = sleep(UNWATCHED_MS, undefined, { signal }).then(() =>
    subject.engine.waitContainer(subject.containerId, { signal }),
  )
  // Whichever loses the race below is cancelled; what it then rejects with is of no interest.
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
    if (options.signal.aborted || isFailure(error)) throw error
    if (deadline.aborted) throw await explainTimeout(subject, options.timeoutMs, lastAnswers, options.signal)
    throw error
  } finally {
    stop.abort()
  }
}

async function explainDeath(
  subject: CheckSubject,
  exitCode: number,
  wantedCode: number | undefined,
  signal: AbortSignal,
): Promise<TestfleetError> {
  const details = await subject.engine.inspectContainer(subject.containerId, { signal })
  const output = await readLastLines(subject, signal)
  const how = details.isOutOfMemory
    ? 'was killed for using more memory than its limit'
    : `ended with exit code ${exitCode}`
  const wanted = wantedCode === undefined ? ' before it was ready' : `; it had to end with ${wantedCode}`
  return new TestfleetError('SERVER_DIED', `${subject.server} ${how}${wanted}`, {
    server: subject.server,
    output,
    hint: hintForDeath(subject, details.isOutOfMemory, exitCode, wantedCode, output),
  })
}

function hintForDeath(
  subject: CheckSubject,
  isOutOfMemory: boolean,
  exitCode: number,
  wantedCode: number | undefined,
  output: readonly string[],
): string {
  if (isOutOfMemory) return 'Raise `limits.memory`.'
  if (exitCode === 0 && wantedCode === undefined) {
    return 'Its command went into the background or had nothing to do: let it stay in the foreground, or say `ready: [{ exit: 0 }]`.'
  }
  if (output.length === 0) return 'It logged nothing: run its command by hand in the image to see why.'
  return `${hintForRefusal(subject, output) ?? 'The end of its log is above'}.`
}

/** When its log tells that the kernel refused it something. */
function hintForRefusal({ server, rights }: CheckSubject, output: readonly string[]): string | undefined {
  const missing = rights === undefined ? [] : findMissingCapabilities(output, rights)
  if (missing.length === 0) return undefined
  const what = missing.length === 1 ? 'a capability' : 'capabilities'
  return `It lacks ${what}: add \`capAdd: [${missing.join(', ')}]\` to ${server}`
}

async function explainTimeout(
  subject: CheckSubject,
  timeoutMs: number,
  lastAnswers: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<TestfleetError> {
  const output = await readLastLines(subject, signal)
  const seen = output.length === 0 ? 'It logged nothing' : 'The end of its log is above'
  const failing = [...lastAnswers].map(([check, answer]) => `${check}: ${answer}`)
  return new TestfleetError(
    'READY_TIMEOUT',
    `${subject.server} was not ready within ${timeoutMs / 1000} s (${failing.join('; ') || 'no answer yet'})`,
    {
      server: subject.server,
      output,
      hint: `${hintForRefusal(subject, output) ?? seen}; raise \`readyTimeout\` if it only needs longer.`,
    },
  )
}

async function readLastLines(subject: CheckSubject, signal: AbortSignal): Promise<string[]> {
  const request = { follow: false, tail: LAST_LOG_LINES }
  const text = await readText(subject.engine.readLogs(subject.containerId, request, { signal }))
  return text.split('\n').filter((line) => line.trim() !== '')
}
