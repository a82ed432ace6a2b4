import { currentHost } from '../../current-host.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import { closeTaken, leaveTaken } from '../../standby/leave.ts'
import { type CallSettings, openCallTools } from '../call.ts'
import { handOver } from '../hand-over.ts'
import type { RunningFleet } from '../running-fleet.ts'
import { type StandbyCall, tellTaken, tryCopies } from '../standby-source.ts'
import { startPools } from '../start-pools.ts'
import type { FleetSource } from '../types/options.ts'
import type { StartOptions } from '../types/start.ts'

/** Takes a standby copy of the fleet if there is one, else starts it. */
export async function start<F extends FleetFile>(
  client: CallSettings,
  source: FleetSource<F> | undefined,
  options: StartOptions<F>,
): Promise<RunningFleet<F>> {
  const { signal = new AbortController().signal } = options
  const call = { client, source, options: options as StartOptions, host: currentHost(client.folder), signal }
  return (await startOnStandby<F>(call)) ?? startAll(client, source, options)
}

async function startOnStandby<F extends FleetFile>(call: StandbyCall): Promise<RunningFleet<F> | undefined> {
  const { client, options, host } = call
  const beganAt = performance.now()
  return tryCopies(call, async (taking) => {
    const taken = await taking.taken
    const { record, listener } = taken
    const { report, socket } = taking
    try {
      tellTaken(report, performance.now() - beganAt, client.onEvent)
      const session = { kind: 'named', name: record.name, by: 'its standby copy' } as const
      const tools = await openCallTools(client, options, host, { session })
      await startPools(record, call.source, tools)
      const end = (later: typeof tools): Promise<number> => leaveTaken(taken, host, later)
      return await handOver<F>({ record, report, socket, takenDown: listener.takenDown, end }, tools, client.hub)
    } catch (error) {
      closeTaken(taken)
      throw error
    }
  })
}

async function startAll<F extends FleetFile>(
  client: CallSettings,
  source: FleetSource<F> | undefined,
  options: StartOptions<F>,
): Promise<RunningFleet<F>> {
  // Loads what starts a fleet only when one is started.
  const { prepareStart } = await import('./prepare-start.ts')
  const { tools, start } = await prepareStart(client, source, options)
  try {
    return await handOver(await start(), tools, client.hub, { source })
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}
