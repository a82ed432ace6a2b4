import type { Control } from '../api/types/control.ts'
import { readSignal } from '../formats/signal.ts'
import { TestfleetError } from '../model/failures.ts'
import { answer, formatReport } from './answer.ts'
import {
  type Call,
  clientOf,
  durationOption,
  flag,
  sessionOptions,
  textOption,
  timelineOption,
  timeoutOption,
} from './call.ts'

/** Makes a command that carries out a verb with the options of the call. */
export function runControl(readControl: (call: Call) => Control): (call: Call) => Promise<number> {
  return async (call) => {
    const report = await clientOf(call).control(readControl(call), {
      ...sessionOptions(call),
      servers: call.servers,
      force: flag(call, 'force'),
      timeoutMs: timeoutOption(call),
      timeline: timelineOption(call),
    })
    return answer(call, report, formatReport(report))
  }
}

/** Returns whether the call waits until its servers are ready. */
export function waits(call: Call): boolean {
  return call.options.wait !== false
}

/** An engine counts whole seconds. */
const LONGEST_GRACE_MS = 600_000

/** Reads the grace period; undefined for each server's own. Fails with USAGE. */
export function graceOption(call: Call): number | undefined {
  const graceMs = durationOption(call, 'grace')
  if (graceMs === undefined || graceMs <= LONGEST_GRACE_MS) return graceMs
  throw new TestfleetError('USAGE', '--grace takes at most 10m')
}

/** Reads the name of the signal to send, such as SIGHUP. Fails with USAGE. */
export function signalOption(call: Call): string {
  const text = textOption(call, 'signal') ?? 'SIGKILL'
  const signal = readSignal(text)
  if (signal !== undefined) return signal
  throw new TestfleetError('USAGE', `--signal takes a signal such as SIGHUP or HUP; not ${JSON.stringify(text)}`)
}
