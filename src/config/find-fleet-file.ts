import { dirname, join, resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import { isFile } from './is-file.ts'

/** In the order in which they are looked for in each folder. */
const fleetFileNames = [
  'testfleet.yaml',
  'testfleet.yml',
  'testfleet.json',
  'testfleet.ts',
  'testfleet.mts',
  'testfleet.js',
  'testfleet.mjs',
] as const

/**
 * The absolute path of the fleet file: the one named, or the first found in `folder` and then upwards.
 * Fails with FLEET_FILE_NOT_FOUND.
 */
export async function findFleetFile(folder: string, named: string | undefined): Promise<string> {
  if (named !== undefined) {
    const path = resolve(folder, named)
    if (await isFile(path)) return path
    throw new TestfleetError('FLEET_FILE_NOT_FOUND', `${named} is not a file`, {
      hint: 'Name a fleet file with -f, or make one with `testfleet init`.',
    })
  }
  for (let current = resolve(folder); ; current = dirname(current)) {
    for (const name of fleetFileNames) {
      const path = join(current, name)
      if (await isFile(path)) return path
    }
    if (dirname(current) === current) break
  }
  throw new TestfleetError('FLEET_FILE_NOT_FOUND', `there is no fleet file in ${resolve(folder)} nor above it`, {
    hint: 'Make one with `testfleet init`, or name one with -f.',
  })
}
