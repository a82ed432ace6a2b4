import { loadFleetName } from '../../config/load-fleet.ts'
import { removeImages as remove } from '../../images.ts'
import { type CallSettings, hostOf, loadSource, withTools } from '../call.ts'
import type { RemoveImagesOptions } from '../types/remove.ts'

export async function removeImages(client: CallSettings, options: RemoveImagesOptions): Promise<readonly string[]> {
  const { servers = [], file } = options
  const host = hostOf(client)
  const fleet = await loadFleetName(file, host)
  // The name is enough to remove all images: the rest of the fleet file may be wrong.
  const known = servers.length === 0 ? [] : [...(await loadSource(file, servers, host)).servers.keys()]
  return withTools(client, options, (tools) => remove(fleet, servers, known, tools))
}
