import { formatDuration } from '../../formats/duration.ts'
import { TestfleetError } from '../../model/failures.ts'
import { isIdleTime } from '../../model/fleet-file-rules.ts'
import { noteLater } from '../../model/note-later.ts'
import { DEFAULT_IDLE_MS, type Standby } from '../../model/standby.ts'
import { say } from '../../model/surface.ts'
import { hold, stopHolding } from '../../standby/control.ts'
import type { StandbySource, StandbyStatus } from '../../standby/protocol.ts'
import { refuseUnfit } from '../../standby/refuse-fleet.ts'
import { type CallSettings, hostOf, loadSource } from '../call.ts'
import { describeSource } from '../standby-source.ts'
import type { Source } from '../types/options.ts'
import type { StandbyReport, WarmOptions } from '../types/warm.ts'

const REMOVING = 'removing the standby copies'

/** Holds copies of a fleet, or removes them. */
export async function warm(client: CallSettings, source: Source, options: WarmOptions): Promise<StandbyReport> {
  const host = hostOf(client)
  const { signal = new AbortController().signal, stop = false } = options
  const { onEvent, engine, insecureEngine } = client
  if (stop) {
    const found = await requireSource(source, host)
    return toReport(await noteLater(REMOVING, onEvent, stopHolding(found, host, signal)))
  }
  checkIdle(options.idleMs)
  const fleet = await loadSource(source, [], host)
  const found = await requireSource(source, host)
  refuseUnfit(fleet)
  const settings = readSettings(options, fleet.standby)
  const status = await hold({ source: found, settings, engine, insecureEngine }, host, signal, onEvent)
  for (const problem of status.problems) onEvent({ kind: 'warned', message: problem })
  return toReport(status)
}

async function requireSource(source: Source, host: Parameters<typeof describeSource>[1]): Promise<StandbySource> {
  const found = await describeSource(source, host)
  if (found !== undefined) return found
  throw new TestfleetError('USAGE', 'a fleet file that is a program can have no standby copies', {
    hint: 'Write it as YAML or JSON: what a program depends on is not known.',
  })
}

/** The bounds of the fleet file. */
function checkIdle(idleMs: number | undefined): void {
  if (idleMs === undefined || isIdleTime(idleMs / 1000)) return
  throw new TestfleetError('USAGE', `${say('idle')} takes a time from 1s to 24h, not ${formatDuration(idleMs)}`)
}

function readSettings({ standby, idleMs, memoryBytes }: WarmOptions, declared: Standby | undefined): Standby {
  return {
    size: standby ?? declared?.size ?? 1,
    idleMs: idleMs ?? declared?.idleMs ?? DEFAULT_IDLE_MS,
    memoryBytes: memoryBytes ?? declared?.memoryBytes,
  }
}

function toReport(status: StandbyStatus | undefined): StandbyReport {
  return {
    ready: status?.ready ?? [],
    standby: status?.settings.size ?? 0,
    memoryBytes: status?.memoryBytes,
    memoryLimitBytes: status?.settings.memoryBytes,
    paused: status?.isPaused ?? false,
    idleMs: status?.settings.idleMs ?? 0,
    idleUntilMs: status?.idleUntilMs ?? 0,
    problems: status?.problems ?? [],
  }
}
