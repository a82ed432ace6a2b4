import { nameImages } from '../../name-images.ts'
import { type CallSettings, hostOf, loadSource } from '../call.ts'
import type { FleetOptions, Source } from '../types/options.ts'

export async function imagesKey(client: CallSettings, source: Source, options: FleetOptions): Promise<string> {
  const { servers = [], signal } = options
  const fleet = await loadSource(source, servers, hostOf(client))
  return nameImages(fleet, servers, signal)
}
