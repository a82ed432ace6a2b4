import { buildImages } from '../../images.ts'
import { type CallSettings, hostOf, loadSource, withTools } from '../call.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { BuildOptions, BuiltImage } from '../types/build.ts'
import type { FleetOptions, Source } from '../types/options.ts'

export async function build(
  client: CallSettings,
  source: Source,
  options: BuildOptions & FleetOptions,
): Promise<Readonly<Record<string, BuiltImage>>> {
  const { servers = [] } = options
  const fleet = await loadSource(source, servers, hostOf(client))
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const images = await withTools(client, options, (tools) =>
    withTimeout(timeoutMs, tools, (limited) => buildImages(fleet, servers, limited)),
  )
  return Object.fromEntries(
    [...images].map(([server, { reference: image, isNew: built }]) => [server, { image, built }]),
  )
}
