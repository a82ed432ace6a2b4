import type { StateOptions } from '../api/types/state.ts'
import type { SessionReport } from '../model/running.ts'
import { answer, formatReport } from './answer.ts'
import { type Call, flag, sessionOptions, timeoutOption } from './call.ts'

export function stateOptions(call: Call): StateOptions {
  return { ...sessionOptions(call), force: flag(call, 'force'), timeoutMs: timeoutOption(call) }
}

export function answerState(call: Call, report: SessionReport): number {
  return answer(call, report, formatReport(report))
}
