import { readEnd } from '../engine/output-text.ts'
import { CUT, stripControls } from '../formats/strip-controls.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import type { ProtocolCheck, ProtocolName } from '../model/protocols.ts'
import { openPattern } from '../patterns/match-pattern.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { afterReading } from './after-reading.ts'
import type { KnownServer } from './find-cause-in-log.ts'
import { probeHttp } from './http.ts'
import { waitForLog } from './log.ts'
import { type OnAnswer, poll, pollNetwork } from './poll.ts'
import { notYet, type Probe, type ProtocolProbe, type Reach, ready, type Target } from './probe.ts'
import type { CommonProbes } from './protocols/common-probes.ts'
import { probeTcp } from './tcp.ts'
import type { ClientCertificate } from './tls.ts'

export interface CheckSubject {
  readonly server: string
  readonly hostname: string
  readonly containerId: string
  readonly runtime: Runtime
  readonly reach: Reach
  /** The server's declaration, if known, so that the hint of a failure can name what is missing. */
  readonly rights?: KnownServer
  /** Reads the value of one of the server's secrets, for a check that logs in. */
  readSecret(name: string): Promise<string>
  /** Reads the fleet's client certificate; undefined if it has none. */
  readClientCertificate?(): Promise<ClientCertificate | undefined>
}

/**
 * A ready check that can run. `hold` tries until the check passes or the signal fires, and reports every other answer. Its
 * time is over at `untilMs`, on the clock of `performance.now()`. Resolves with how long the last try took, in milliseconds;
 * undefined for a check without tries.
 */
export interface RunningCheck {
  /** Such as `http :80/`. */
  readonly name: string
  hold(signal: AbortSignal, onAnswer: OnAnswer, untilMs: number): Promise<number | undefined>
}

/** Makes a runnable check of every kind except `exit`, which the waiter handles. */
export function runCheck(check: Exclude<ReadyCheck, { kind: 'exit' }>, subject: CheckSubject): RunningCheck {
  const name = nameCheck(check)
  if (check.kind === 'log') {
    return { name, hold: (signal, onAnswer) => holdLog(check, subject, signal, onAnswer) }
  }
  const probe = toProbe(check, subject)
  return {
    name,
    hold: (signal, onAnswer, untilMs) =>
      (isLocal(check) ? poll(probe, signal, onAnswer) : pollNetwork(probe, signal, onAnswer, untilMs)).catch(
        (error: unknown) => {
          throw explainImpossible(error, name, subject.server)
        },
      ),
  }
}

/** Whether the check asks the engine, not the server over a network. */
function isLocal({ kind }: ReadyCheck): boolean {
  return kind === 'exec' || kind === 'healthcheck'
}

async function holdLog(
  { text, isPattern, times = 1 }: Extract<ReadyCheck, { kind: 'log' }>,
  { containerId, runtime }: CheckSubject,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
): Promise<undefined> {
  if (!isPattern) {
    const wanted = stripControls(text)
    const countIn = (lines: readonly string[]): number => lines.filter((line) => line.includes(wanted)).length
    await waitForLog(containerId, { countIn, times }, runtime, signal, onAnswer)
    return
  }
  await using pattern = await openPattern(text, signal, onAnswer)
  await waitForLog(containerId, { countIn: pattern.countIn, times }, runtime, signal, onAnswer)
}

/** Adds the server and the check to the failure of a check that can never pass. */
function explainImpossible(error: unknown, check: string, server: string): unknown {
  if (!isFailure(error, 'COMMAND_NOT_FOUND') && !isFailure(error, 'PORT_UNREACHABLE')) return error
  const message = `the ready check \`${check}\` of ${server} cannot pass: ${error.message}`
  return new TestfleetError(error.code, message, { server, hint: error.hint, cause: error })
}

function toProbe(check: Exclude<ReadyCheck, { kind: 'exit' | 'log' }>, subject: CheckSubject): Probe {
  switch (check.kind) {
    case 'tcp':
      return probeTcp(check, subject.reach)
    case 'http':
    case 'https':
      return probeHttp(check, subject)
    case 'exec':
      return probeExec(check.command, subject.containerId, subject.runtime)
    case 'healthcheck':
      return probeHealthcheck(subject.containerId, subject.server, subject.runtime)
    default:
      return probeProtocol(check, subject)
  }
}

/** Only the last line of the output is shown. */
const MAX_OUTPUT_BYTES = 64 * 1024
const MAX_ANSWER_LENGTH = 1000

function shortenAnswer(line: string): string {
  return line.length > MAX_ANSWER_LENGTH ? `${line.slice(0, MAX_ANSWER_LENGTH)}${CUT}` : line
}

/** How long the first try of an exec check may take, once it is started. */
const FIRST_TRY_MS = 1000

/**
 * Holds when the command, run inside the server, exits with 0. A try that takes too long is ended, and the next one may
 * take twice as long: a command that hangs once must not hide that the server has become ready.
 */
function probeExec(command: readonly string[], containerId: string, runtime: Runtime): Probe {
  let limitMs = FIRST_TRY_MS
  return async (signal) => {
    const limit = new AbortController()
    let stopClock = (): void => {}
    try {
      const either = AbortSignal.any([signal, limit.signal])
      const running = await runtime.exec(containerId, { command }, { signal: either })
      stopClock = afterReading(limitMs, () => limit.abort())
      const output = await readEnd(running.output, MAX_OUTPUT_BYTES)
      const exitCode = await running.exitCode()
      if (exitCode === 0) return ready
      const lastLine = shortenAnswer(output.trim().split('\n').at(-1) ?? '')
      return notYet(`exits with ${exitCode}${lastLine === '' ? '' : `: ${lastLine}`}`)
    } catch (error) {
      signal.throwIfAborted()
      if (limit.signal.aborted) {
        const answer = `did not end within ${limitMs / 1000} s, and was ended`
        limitMs *= 2
        return notYet(answer)
      }
      // A container refuses between its start and its first process. When it has died, the waiter knows.
      if (isFailure(error, 'ENGINE_REFUSED')) return notYet(error.message)
      throw error
    } finally {
      stopClock()
    }
  }
}

/** Holds when the image's health check reports healthy. */
function probeHealthcheck(containerId: string, server: string, runtime: Runtime): Probe {
  return async (signal) => {
    const { health } = await runtime.inspectServer(containerId, { signal })
    if (health === 'healthy') return ready
    if (health === 'none') {
      throw new TestfleetError('START_FAILED', `the image of ${server} has no health check`, {
        server,
        hint: 'Use another kind of `ready` check, or give the image a HEALTHCHECK.',
      })
    }
    return notYet(health)
  }
}

export function nameCheck(check: ReadyCheck): string {
  switch (check.kind) {
    case 'tcp':
      return `tcp :${check.port}`
    case 'http':
    case 'https':
      return `${check.kind} :${check.port}${check.path}`
    case 'exec':
      return `exec ${check.command[0]}`
    case 'log':
      return `log ${JSON.stringify(check.text)}${(check.times ?? 1) === 1 ? '' : `, ${check.times} times`}`
    case 'healthcheck':
      return 'healthcheck'
    case 'exit':
      return `exit ${check.code}`
    default:
      return `${check.kind} :${check.port}`
  }
}

/** Probe of a check that speaks a protocol. Its answers never contain a secret that it sent. */
export function probeProtocol(check: ProtocolCheck, target: Target): Probe {
  const secrets = new Set<string>()
  const readSecret: Target['readSecret'] = async (name) => {
    const secret = await target.readSecret(name)
    secrets.add(secret)
    return secret
  }
  let probe: Promise<Probe> | undefined
  const hideAll = (answer: string): string => [...secrets].reduce(hide, answer)
  return async (signal, patienceMs, waiting) => {
    probe ??= loadProbe(check, { ...target, readSecret })
    const masked = waiting && { ...waiting, onWait: (answer: string) => waiting.onWait(hideAll(answer)) }
    const answer = await (await probe)(signal, patienceMs, masked)
    return answer.isReady ? answer : { ...answer, answer: hideAll(answer.answer) }
  }
}

/** Loaded on demand: a fleet uses few protocols. The tables have the probe of each kind under its name. */
async function loadProbe(check: ProtocolCheck, target: Target): Promise<Probe> {
  const { commonProbes } = await import('./protocols/common-probes.ts')
  const probes: { readonly [Name in ProtocolName]?: unknown } =
    check.kind in commonProbes ? commonProbes : await loadRareProbes()
  return (probes[check.kind] as ProtocolProbe<ProtocolName>)(check as never, target)
}

/** Their folder uses only what a plug-in could use: `probe.ts` and the helpers in `protocols/`. */
type RareProbes = { readonly [Name in Exclude<ProtocolName, keyof CommonProbes>]: ProtocolProbe<Name> }

async function loadRareProbes(): Promise<RareProbes> {
  return (await import('./rare-protocols/rare-probes.ts')).rareProbes
}

/** An answer can be cut short: this many characters of a secret already reveal it. */
const MIN_SHOWN = 4

/** Removes a secret, or the beginning of one, from an answer: a server can repeat a password that it was sent. */
export function hide(answer: string, secret: string): string {
  const shown = JSON.stringify(Buffer.from(secret).toString('latin1')).slice(1, -1)
  const begin = shown.slice(0, MIN_SHOWN)
  if (begin === '') return answer
  let hidden = ''
  let rest = answer
  for (let at = rest.indexOf(begin); at !== -1; at = rest.indexOf(begin)) {
    hidden += `${rest.slice(0, at)}…`
    rest = rest.slice(at + countSame(rest.slice(at), shown))
  }
  return hidden + rest
}

function countSame(one: string, other: string): number {
  let count = 0
  while (count < other.length && one[count] === other[count]) count++
  return count
}
