import { down } from '../../down.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import type { SessionReport } from '../../model/running.ts'
import { sweepSessions } from '../../open-tools.ts'
import type { Tools } from '../../tools.ts'
import { type Up, up as upAll } from '../../up/up.ts'
import { type CallSettings, chooseSourceSession, hostOf, loadSource, openCallTools } from '../call.ts'
import { handOver } from '../hand-over.ts'
import type { RunningFleet } from '../running-fleet.ts'
import { startPools } from '../start-pools.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { FleetSource, Source } from '../types/options.ts'
import type { UpOptions } from '../types/up.ts'

export function up<F extends FleetFile>(
  client: CallSettings,
  source: FleetSource<F> | undefined,
  options: UpOptions<F>,
): Promise<RunningFleet<F>> {
  return withUp(client, source, options, ({ record, report }, tools) => {
    const end = async (later: Tools): Promise<number> => {
      await down(record, { isForced: false }, later)
      return 0
    }
    return handOver({ record, report, socket: '', takenDown: () => undefined, end }, tools, client.hub, {
      isLasting: true,
      source,
    })
  })
}

/** Does the same as `up`, for a caller that only needs the report. */
export function bringUp(client: CallSettings, source: Source, options: UpOptions): Promise<SessionReport> {
  return withUp(client, source, options, async ({ report }, tools) => {
    tools.engine.close()
    return report
  })
}

/** `work` closes the engine, or hands it over. */
async function withUp<Result>(
  client: CallSettings,
  source: Source,
  options: UpOptions,
  work: (up: Up, tools: Tools) => Promise<Result>,
): Promise<Result> {
  const host = hostOf(client)
  const { servers = [], bind = 'free', keep = false } = options
  const fleet = await loadSource(source, servers, host)
  const session = await chooseSourceSession(source, fleet.name, options, host)
  const ttlMs = readTtl(options.ttlMs)
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const tools = await openCallTools(client, options, host, { session })
  try {
    const { sessions } = await sweepSessions(tools)
    const request = { fleet, servers, session, bind, keepOnFailure: keep, ttlMs }
    const done = await withTimeout(timeoutMs, tools, (limited) => upAll(request, sessions, limited))
    await startPools(done.record, source, tools)
    return await work(done, tools)
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}

/** Sessions that live longer are not test sessions. */
const LONGEST_TTL_MS = 14 * 24 * 3_600_000

/** Infinity means no end, as undefined does. */
function readTtl(ttlMs: number | undefined): number | undefined {
  if (ttlMs === undefined || ttlMs === Number.POSITIVE_INFINITY || (ttlMs > 0 && ttlMs <= LONGEST_TTL_MS))
    return ttlMs === Number.POSITIVE_INFINITY ? undefined : ttlMs
  throw new TestfleetError('USAGE', `a session lives longer than 0 s and at most 14 days, not ${ttlMs / 1000} s`)
}
