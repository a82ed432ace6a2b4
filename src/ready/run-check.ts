import type { Engine } from '../engine/engine.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import { nameCheck, type Probe, type Reach, type RunningCheck } from './check.ts'
import { probeExec } from './exec.ts'
import { probeHealthcheck } from './healthcheck.ts'
import { probeHttp } from './http.ts'
import { waitForLog } from './log.ts'
import { openPattern } from './match-pattern.ts'
import type { Rights } from './missing-capability.ts'
import { poll } from './poll.ts'
import { probeProtocol } from './protocols/probe-protocol.ts'
import { probeTcp } from './tcp.ts'

export interface CheckSubject {
  readonly server: string
  readonly hostname: string
  readonly containerId: string
  readonly engine: Engine
  readonly reach: Reach
  /** What it may do, where that is known: the hint of a death can then name what it lacks. */
  readonly rights?: Rights
  /** The value of one of its own secrets, for a check that logs in. */
  readSecret(name: string): Promise<string>
}

/** Every kind but `exit`, which is not a probe: the waiter sees to it. */
export function runCheck(check: Exclude<ReadyCheck, { kind: 'exit' }>, subject: CheckSubject): RunningCheck {
  const name = nameCheck(check)
  if (check.kind === 'log') {
    return { name, hold: (signal, onAnswer) => holdLog(check, subject, signal, onAnswer) }
  }
  const probe = toProbe(check, subject)
  return {
    name,
    hold: (signal, onAnswer) =>
      poll(probe, signal, onAnswer).catch((error: unknown) => {
        throw explainImpossible(error, name, subject.server)
      }),
  }
}

async function holdLog(
  { text, isPattern }: Extract<ReadyCheck, { kind: 'log' }>,
  { containerId, engine }: CheckSubject,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
): Promise<void> {
  if (!isPattern) {
    const isInOneOf = (lines: readonly string[]): boolean => lines.some((line) => line.includes(text))
    return waitForLog(containerId, isInOneOf, engine, signal, onAnswer)
  }
  await using pattern = await openPattern(text, signal, onAnswer)
  await waitForLog(containerId, pattern.isInOneOf, engine, signal, onAnswer)
}

/** A check that can never hold says whose it is. */
function explainImpossible(error: unknown, check: string, server: string): unknown {
  if (!isFailure(error, 'COMMAND_NOT_FOUND') && !isFailure(error, 'PORT_UNREACHABLE')) return error
  const message = `the ready check \`${check}\` of ${server} cannot hold: ${error.message}`
  return new TestfleetError(error.code, message, { server, hint: error.hint, cause: error })
}

function toProbe(check: Exclude<ReadyCheck, { kind: 'exit' | 'log' }>, subject: CheckSubject): Probe {
  switch (check.kind) {
    case 'tcp':
      return probeTcp(check, subject.reach)
    case 'http':
    case 'https':
      return probeHttp(check, subject.reach, subject.hostname)
    case 'exec':
      return probeExec(check.command, subject.containerId, subject.engine)
    case 'healthcheck':
      return probeHealthcheck(subject.containerId, subject.server, subject.engine)
    default:
      return probeProtocol(check, subject)
  }
}
