import { bakeImages } from '../../bake-images.ts'
import { type CallSettings, hostOf, loadSource, withTools } from '../call.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { BakedImage, BakeOptions } from '../types/bake.ts'
import type { FleetOptions, Source } from '../types/options.ts'

export async function bake(
  client: CallSettings,
  source: Source,
  options: BakeOptions & FleetOptions,
): Promise<Readonly<Record<string, BakedImage>>> {
  const { servers = [] } = options
  const fleet = await loadSource(source, servers, hostOf(client))
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const images = await withTools(client, options, (tools) =>
    withTimeout(timeoutMs, tools, (limited) => bakeImages(fleet, servers, limited)),
  )
  return Object.fromEntries(
    [...images].map(([server, { reference: image, isNew: baked }]) => [server, { image, baked }]),
  )
}
