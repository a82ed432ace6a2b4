import type { Engine } from '../engine/engine.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import { nameCheck, type Probe, type Reach, type RunningCheck } from './check.ts'
import { probeExec } from './exec.ts'
import { probeHealthcheck } from './healthcheck.ts'
import { probeHttp } from './http.ts'
import { waitForLog } from './log.ts'
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
    const pattern = check.isPattern ? new RegExp(check.text) : undefined
    const matches = (line: string): boolean => pattern?.test(line) ?? line.includes(check.text)
    return {
      name,
      hold: (signal, onAnswer) => waitForLog(subject.containerId, matches, subject.engine, signal, onAnswer),
    }
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
