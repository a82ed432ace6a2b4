import { readSignal } from '../../formats/signal.ts'
import { stopGrace } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Control } from '../types/control.ts'

/** Reads what a caller wants of servers. Fails with USAGE, also for what only plain JavaScript can give. */
export function readControl(control: Control): Control {
  switch (control.verb) {
    case 'start':
    case 'resume':
      return { verb: control.verb, waits: control.waits !== false }
    case 'restart':
      return { verb: control.verb, waits: control.waits !== false, graceMs: readGrace(control.graceMs) }
    case 'stop':
      return { verb: control.verb, graceMs: readGrace(control.graceMs) }
    case 'kill':
      return { verb: control.verb, signal: readSignalName(control.signal) }
    case 'pause':
      return control
    default:
      throw new TestfleetError('USAGE', `there is no verb ${JSON.stringify((control as { verb?: unknown }).verb)}`)
  }
}

function readGrace(graceMs: number | undefined): number | undefined {
  if (graceMs === undefined) return undefined
  if (typeof graceMs === 'number' && graceMs >= 0 && graceMs <= stopGrace.longestMs) return graceMs
  throw new TestfleetError('USAGE', `graceMs takes 0 to ${stopGrace.longestMs}, not ${graceMs}`)
}

function readSignalName(signal: string): string {
  const name = typeof signal === 'string' ? readSignal(signal) : undefined
  if (name !== undefined) return name
  throw new TestfleetError('USAGE', `${JSON.stringify(signal)} is not a signal such as SIGHUP`)
}
