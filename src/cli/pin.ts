import { type ImageFields, readImageFields } from '../config/image-fields.ts'
import { formatPosition, TestfleetError } from '../model/failures.ts'
import { checkPins, findPins, type Pin, writePins } from '../supply/pin.ts'
import { answer } from './answer.ts'
import { type Call, flag, loadCallFleet, withTools } from './call.ts'

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
  if (!isCheck && !isDryRun) await writePins(images, pins)
  const dockerfiles = images.dockerfileBases.map(({ at, reference }) => ({ at, image: reference }))
  answer(call, { pins: pins.map(toJsonPin), dockerfiles }, formatPins(pins, images, isCheck || isDryRun))
  return pins.every(({ state }) => state === 'pinned' || state === 'found') ? 0 : 1
}

/** What became of every image for a person: what is changed as in a diff, what is not with the reason. */
function formatPins(
  pins: readonly Pin[],
  { file, dockerfileBases }: Pick<ImageFields, 'file' | 'dockerfileBases'>,
  isOnlyLook: boolean,
): string {
  const bases = dockerfileBases.map(
    ({ at, reference }) => `${formatPosition(at)}: FROM ${reference} is not pinned; a Dockerfile is left as it is`,
  )
  const found = pins.filter(({ state }) => state === 'found').length
  const open = pins.filter(({ state }) => state !== 'found' && state !== 'pinned').length
  const summary = [
    ...(found === 0 ? [] : [`${isOnlyLook ? 'would write' : 'wrote'} ${file}: ${count(found)} pinned`]),
    ...(open === 0 ? [] : [`${count(open)} not pinned`]),
    ...(found + open === 0 ? ['All images of the fleet file are pinned.'] : []),
  ]
  return [...pins.flatMap(formatPin), ...bases, ...summary, ''].join('\n')
}

function toJsonPin(pin: Pin): object {
  const { field, reference, at } = pin.field
  return { field, at, image: reference, state: pin.state, ...('pinned' in pin ? { pinned: pin.pinned } : {}) }
}

function formatPin(pin: Pin): string[] {
  const { reference, field, at, isWritten } = pin.field
  const where = `${formatPosition(at)}: ${field}${isWritten ? '' : ' (not written; the default)'}`
  switch (pin.state) {
    case 'pinned':
      return []
    case 'found':
      return [where, `- ${reference}`, `+ ${pin.pinned}`]
    case 'byHand':
      return [`${where}: write it yourself: ${pin.pinned}`]
    case 'unpinned':
      return [`${where}: ${reference} is not pinned`]
    case 'absent':
      return [`${where}: ${reference} is not there; it would be pulled, and then pinned`]
    case 'local':
      return [`${where}: ${reference} cannot be pinned: the engine's image of that name came from no registry`]
  }
}

function count(images: number): string {
  return images === 1 ? '1 image is' : `${images} images are`
}
