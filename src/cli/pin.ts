import { readImageFields } from '../config/image-fields.ts'
import { TestfleetError } from '../model/failures.ts'
import { checkPins, findPins, writePins } from '../supply/pin.ts'
import { type Call, flag } from './call.ts'
import { formatPins, isAllPinned, toJsonPin } from './format-pins.ts'
import { loadCallFleet } from './load-call-fleet.ts'
import { withTools, writeJson } from './open-tools.ts'

/** Exits with 0 when every image that the fleet file names has its digest written, or would have it. */
export async function run(call: Call): Promise<number> {
  const [isCheck, isDryRun] = [flag(call, 'check'), flag(call, 'dry-run')]
  if (isCheck && isDryRun) throw new TestfleetError('USAGE', '--check and --dry-run are two different things')
  // With every mistake that the file has.
  await loadCallFleet(call, [])
  const images = await readImageFields(call.file, call.host)
  const pins = isCheck
    ? checkPins(images.fields)
    : await withTools(call, (tools) => findPins(images.fields, { mayPull: !isDryRun }, tools))
  const { text } = images
  if (!isCheck && !isDryRun && text !== undefined) await writePins({ ...images, text }, pins)
  call.output.endProgress()
  if (call.json) {
    const dockerfiles = images.dockerfileBases.map(({ at, reference }) => ({ at, image: reference }))
    writeJson(call, { pins: pins.map(toJsonPin), dockerfiles })
  } else call.output.write(formatPins(pins, images, isCheck || isDryRun))
  return isAllPinned(pins) ? 0 : 1
}
