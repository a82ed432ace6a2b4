import type { Server } from '../model/fleet.ts'
import type { ReportMistake } from './document.ts'

/** Keys about the start and the end of one server that contradict each other. */
export function checkLife({ name, stopSignal, stopGraceMs, postStart, ready }: Server, report: ReportMistake): void {
  if (stopSignal === 'SIGKILL' && stopGraceMs !== undefined)
    report(['servers', name, 'stopGracePeriod'], '`stopSignal: SIGKILL` leaves no time: remove one of the two')
  if (postStart.length > 0 && ready.some(({ kind }) => kind === 'exit'))
    report(
      ['servers', name, 'postStart'],
      'cannot go with an `exit` check, as the server has ended when that check passes',
    )
}
