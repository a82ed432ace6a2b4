import { readImageFields } from '../../config/image-fields.ts'
import { checkPins, type Pin as FoundPin, findPins, requireWritableFile, writePins } from '../../supply/pin.ts'
import { type CallSettings, hostOf, loadSource, withTools } from '../call.ts'
import type { Pin, PinOptions, PinResult } from '../types/pin.ts'

export async function pin(client: CallSettings, options: PinOptions): Promise<PinResult> {
  const { file, mode = 'write' } = options
  const host = hostOf(client)
  // Reports every mistake of the file.
  await loadSource(file, [], host)
  const images = await readImageFields(file, host)
  if (mode === 'write') await requireWritableFile(images)
  const pins =
    mode === 'check'
      ? checkPins(images.fields)
      : await withTools(client, options, (tools) => findPins(images.fields, { mayPull: mode === 'write' }, tools))
  if (mode === 'write') await writePins(images, pins)
  const dockerfiles = images.dockerfileBases.map(({ at, reference }) => ({ at, image: reference }))
  return { file: images.file, pins: pins.map(describePin), dockerfiles }
}

function describePin(found: FoundPin): Pin {
  const { field, reference, at, isWritten } = found.field
  return {
    ...{ field, at, isWritten, image: reference, state: found.state },
    ...('pinned' in found ? { pinned: found.pinned } : {}),
  }
}
