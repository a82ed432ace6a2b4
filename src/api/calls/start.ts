import type { FleetFile } from '../../model/fleet-file.ts'
import type { CallSettings } from '../call.ts'
import { handOver } from '../hand-over.ts'
import type { RunningFleet } from '../running-fleet.ts'
import type { FleetSource } from '../types/options.ts'
import type { StartOptions } from '../types/start.ts'
import { prepareStart } from './prepare-start.ts'

export async function start<F extends FleetFile>(
  client: CallSettings,
  source: FleetSource<F> | undefined,
  options: StartOptions<F>,
): Promise<RunningFleet<F>> {
  const { tools, start } = await prepareStart(client, source, options)
  try {
    return await handOver(await start(), tools, client.hub, { source })
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}
