import { TestfleetError } from '../../model/failures.ts'
import {
  busyMountIn,
  isBadArchive,
  isContainerNameTaken,
  isImageMissing,
  isToBeRemoved,
  missingProgram,
  type Refusal,
  startFailureIn,
  takenPort,
} from './dialect.ts'
import { diskFullHint, shortenDiskFull } from './disk-full.ts'
import { commandNotFound } from './errors.ts'

export function explainTakenName(refusal: Refusal, name: string): TestfleetError | undefined {
  if (!isContainerNameTaken(refusal)) return undefined
  return new TestfleetError('NAME_TAKEN', `a container named ${name} already exists`, { cause: refusal.words })
}

export function explainCreate(refusal: Refusal, name: string, image: string): TestfleetError | undefined {
  const taken = explainTakenName(refusal, name)
  if (taken !== undefined) return taken
  if (!isImageMissing(refusal)) return undefined
  const { words } = refusal
  const why = /platform/i.test(words) ? words : `the engine does not have the image ${image}`
  return new TestfleetError('IMAGE_NOT_FOUND', why, { cause: words })
}

/** Explains from the engine's message why a container did not start: it has one status for every reason. */
export function explainStart({ status, words }: Refusal): TestfleetError | undefined {
  if (status === 404) return undefined
  if (isToBeRemoved({ status, words })) return new TestfleetError('NOT_FOUND', words)
  const port = takenPort(words)
  if (port !== undefined) {
    return new TestfleetError('PORT_TAKEN', `the port is already taken: ${port}`, { cause: words })
  }
  const missing = missingProgram(words)
  if (missing !== undefined) return commandNotFound(missing, words)
  return new TestfleetError(
    'START_FAILED',
    `the container could not be started: ${shortenDiskFull(startFailureIn(words))}`,
    {
      hint: hintFor(words),
      cause: words,
    },
  )
}

function hintFor(words: string): string | undefined {
  if (/bind: permission denied|cannot expose privileged port|ip_unprivileged_port_start/i.test(words)) {
    return 'Use a port from 1024 on: this engine cannot open lower ports of the host.'
  }
  if (/cannot assign requested address/i.test(words))
    return 'Publish the port at an address of the host: this one is not.'
  if (/network \S+ not found/i.test(words)) return 'Run the command again: its network was removed in the meantime.'
  if (/unable to find user|no matching entries in passwd/i.test(words))
    return 'Create the user in the image (`build.run`: `useradd NAME`), or set `user` to its number.'
  if (/unable to find group|no matching entries in group/i.test(words))
    return 'Create the group in the image (`build.run`: `groupadd NAME`), or set `user` to its number.'
  return diskFullHint(words)
}

export function explainUnpack({ words }: Refusal): TestfleetError | undefined {
  const mount = busyMountIn(words)
  if (mount !== undefined) {
    return new TestfleetError('ENGINE_REFUSED', `${mount} is a mount, which cannot be replaced`, {
      hint: 'Write into it with a program of the server instead.',
      cause: words,
    })
  }
  return isBadArchive(words)
    ? new TestfleetError('ENGINE_REFUSED', `the tar archive is not sound: ${words}`)
    : undefined
}
