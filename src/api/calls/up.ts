import { down } from '../../down.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import { sweepSessions } from '../../open-tools.ts'
import type { Membership } from '../../up/membership.ts'
import { up as bringUp } from '../../up/up.ts'
import { chooseCallSession, hostOf, loadSource, openCallTools } from '../call.ts'
import { handOver } from '../hand-over.ts'
import type { RunningFleet } from '../running-fleet.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { FleetSource, TestfleetOptions } from '../types/options.ts'
import type { UpOptions } from '../types/up.ts'

export async function up<F extends FleetFile>(
  client: TestfleetOptions,
  source: FleetSource<F> | undefined,
  options: UpOptions<F>,
): Promise<RunningFleet<F>> {
  const host = hostOf(client)
  const { servers = [], bind = 'free', ttlMs, keep = false } = options
  const fleet = await loadSource(source, servers, host)
  const file = typeof source === 'string' ? source : undefined
  const session = await chooseCallSession({ ...options, file }, host)
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const tools = await openCallTools(client, options, host)
  try {
    const { sessions } = await sweepSessions(tools)
    const request = { fleet, servers, session, bind, keepOnFailure: keep, ttlMs }
    const { record, report } = await withTimeout(timeoutMs, tools, (limited) => bringUp(request, sessions, limited))
    const membership: Membership = {
      record,
      report,
      socket: '',
      takenDown: () => undefined,
      async end(later) {
        await down(record, { isForced: false }, later)
        return 0
      },
    }
    return await handOver(membership, tools, { isLasting: true })
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}
