import { loadFleetName } from '../config/load-fleet.ts'
import { removeImages } from '../images.ts'
import { answer } from './answer.ts'
import { type Call, loadCallFleet, withTools } from './call.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadFleetName(call.file, call.host)
  // For all images the name is enough: the rest of the fleet file may be wrong.
  const known = call.servers.length === 0 ? [] : [...(await loadCallFleet(call)).servers.keys()]
  const images = await withTools(call, (tools) => removeImages(fleet, call.servers, known, tools))
  const lines = images.map((image) => `removed ${image}\n`)
  return answer(call, { images }, lines.join('') || 'There was no image to remove.\n')
}
