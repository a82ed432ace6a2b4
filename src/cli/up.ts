import { TestfleetError } from '../model/failures.ts'
import { answer, formatReport } from './answer.ts'
import {
  bindOption,
  type Call,
  clientOf,
  durationOption,
  flag,
  textOption,
  timelineOption,
  timeoutOption,
} from './call.ts'

export async function run(call: Call): Promise<number> {
  const { servers, session, signal } = call
  const options = {
    ...{ servers, session, signal, bind: bindOption(call), keep: flag(call, 'keep'), ttlMs: readTtl(call) },
    ...{ timeoutMs: timeoutOption(call), bundle: textOption(call, 'bundle'), timeline: timelineOption(call) },
  }
  const report = await clientOf(call).bringUp(call.file, options)
  return answer(call, report, formatReport(report))
}

/** Upper bound for `--ttl`: sessions that live longer are not test sessions. */
const LONGEST_TTL_MS = 14 * 24 * 3_600_000

function readTtl(call: Call): number | undefined {
  const ttlMs = durationOption(call, 'ttl')
  if (ttlMs === undefined || (ttlMs > 0 && ttlMs <= LONGEST_TTL_MS)) return ttlMs
  throw new TestfleetError('USAGE', '--ttl takes more than nothing and at most 336h (14 days)')
}
