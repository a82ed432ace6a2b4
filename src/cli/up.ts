import { TestfleetError } from '../model/failures.ts'
import { up, withTimeout } from '../up/up.ts'
import { answer, formatReport } from './answer.ts'
import {
  bindOption,
  type Call,
  chooseCallSession,
  durationOption,
  flag,
  loadCallFleet,
  timeoutOption,
  withTools,
} from './call.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const session = await chooseCallSession(call)
  const request = {
    fleet,
    servers: call.servers,
    session,
    bind: bindOption(call),
    keepOnFailure: flag(call, 'keep'),
    ttlMs: readTtl(call),
  }
  const timeoutMs = timeoutOption(call)
  const { report } = await withTools(call, (tools, sessions) =>
    withTimeout(timeoutMs, tools, (limited) => up(request, sessions, limited)),
  )
  return answer(call, report, formatReport(report))
}

/** Upper bound for `--ttl`: sessions that live longer are not test sessions. */
const LONGEST_TTL_MS = 14 * 24 * 3_600_000

function readTtl(call: Call): number | undefined {
  const ttlMs = durationOption(call, 'ttl')
  if (ttlMs === undefined || (ttlMs > 0 && ttlMs <= LONGEST_TTL_MS)) return ttlMs
  throw new TestfleetError('USAGE', '--ttl takes more than nothing and at most 336h (14 days)')
}
