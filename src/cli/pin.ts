import type { Pin, PinResult } from '../api/types/pin.ts'
import { formatPosition, TestfleetError } from '../model/failures.ts'
import { answer } from './answer.ts'
import { type Call, clientOf, flag } from './call.ts'

/** Exits with 0 when every image that the fleet file names has its digest written, or would have it. */
export async function run(call: Call): Promise<number> {
  const [isCheck, isDryRun] = [flag(call, 'check'), flag(call, 'dry-run')]
  if (isCheck && isDryRun) throw new TestfleetError('USAGE', '--check and --dry-run are two different things')
  const mode = isCheck ? 'check' : isDryRun ? 'dryRun' : 'write'
  const result = await clientOf(call).pin({ file: call.file, mode, signal: call.signal })
  const pins = result.pins.map(({ isWritten: _, ...pin }) => pin)
  answer(call, { pins, dockerfiles: result.dockerfiles }, formatPins(result, isCheck || isDryRun))
  return pins.every(({ state }) => state === 'pinned' || state === 'found') ? 0 : 1
}

/** What became of every image for a person: what is changed as in a diff, what is not with the reason. */
function formatPins({ file, pins, dockerfiles }: PinResult, isOnlyLook: boolean): string {
  const bases = dockerfiles.map(
    ({ at, image }) => `${formatPosition(at)}: FROM ${image} is not pinned; a Dockerfile is left as it is`,
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

function formatPin({ state, image, field, at, isWritten, pinned }: Pin): string[] {
  const where = `${formatPosition(at)}: ${field}${isWritten ? '' : ' (not written; the default)'}`
  switch (state) {
    case 'pinned':
      return []
    case 'found':
      return [where, `- ${image}`, `+ ${pinned}`]
    case 'byHand':
      return [`${where}: write it yourself: ${pinned}`]
    case 'unpinned':
      return [`${where}: ${image} is not pinned`]
    case 'absent':
      return [`${where}: ${image} is not there; it would be pulled, and then pinned`]
    case 'local':
      return [`${where}: ${image} cannot be pinned: the engine's image of that name came from no registry`]
  }
}

function count(images: number): string {
  return images === 1 ? '1 image is' : `${images} images are`
}
