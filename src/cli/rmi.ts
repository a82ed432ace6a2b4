import { loadFleetName } from '../config/load-fleet.ts'
import { removeImages } from '../images.ts'
import type { Call } from './call.ts'
import { loadCallFleet } from './load-call-fleet.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadFleetName(call.file, call.host)
  // For all images the name is enough: the rest of the fleet file may be wrong.
  const known = call.servers.length === 0 ? [] : [...(await loadCallFleet(call)).servers.keys()]
  const images = await withTools(call, (tools) => removeImages(fleet, call.servers, known, tools))
  if (call.json) writeJson(call, { images })
  else if (images.length === 0) call.output.write('There was no image to remove.\n')
  else call.output.write(images.map((image) => `removed ${image}\n`).join(''))
  return 0
}
