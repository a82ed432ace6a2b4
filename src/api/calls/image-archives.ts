import { loadImages as load } from '../../load-images.ts'
import { saveImages as save } from '../../save-images.ts'
import { type CallSettings, hostOf, loadSource, withTools } from '../call.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type {
  ArchiveSource,
  ArchiveTarget,
  LoadedImage,
  LoadImagesOptions,
  SavedImages,
  SaveImagesOptions,
} from '../types/image-archives.ts'

export async function saveImages(
  client: CallSettings,
  to: ArchiveTarget,
  options: SaveImagesOptions,
): Promise<SavedImages> {
  const { source, servers = [] } = options
  const fleet = await loadSource(source, servers, hostOf(client))
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const { images, bytes, isNew } = await withTools(client, options, (tools) =>
    withTimeout(timeoutMs, tools, (limited) => save(fleet, servers, to, limited)),
  )
  return { images: images.map(({ reference: image, id }) => ({ image, id })), bytes, written: isNew }
}

export async function loadImages(
  client: CallSettings,
  from: ArchiveSource,
  options: LoadImagesOptions,
): Promise<readonly LoadedImage[]> {
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  const images = await withTools(client, options, (tools) =>
    withTimeout(timeoutMs, tools, (limited) => load(from, limited)),
  )
  return images.map(({ reference: image, isNew: loaded }) => ({ image, loaded }))
}
