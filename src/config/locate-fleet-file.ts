import { realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** In the order in which each folder is searched. */
const fleetFileNames = ['yaml', 'yml', 'json', 'ts', 'mts', 'js', 'mjs'].map((extension) => `testfleet.${extension}`)

export interface FleetFileLocation {
  /** Absolute, as the caller reaches the file. The fleet's folder is the one in this path. */
  readonly path: string
  /** The same file with every link resolved: however it is reached, one file has one real path. */
  readonly realPath: string
}

/**
 * Locates the fleet file: the one named, or the first found in the working folder and then upwards. The file is neither
 * read nor run. Fails with FLEET_FILE_NOT_FOUND.
 */
export async function locateFleetFile(
  named: string | undefined,
  { workingFolder }: Pick<Host, 'workingFolder'>,
): Promise<FleetFileLocation> {
  if (named !== undefined) {
    const location = await locateFile(resolve(workingFolder, named))
    if (location !== undefined) return location
    throw new TestfleetError('FLEET_FILE_NOT_FOUND', `${named} is not a file`, {
      hint: 'Name a fleet file with -f, or make one with `testfleet init`.',
    })
  }
  for (let folder = resolve(workingFolder); ; folder = dirname(folder)) {
    for (const name of fleetFileNames) {
      const location = await locateFile(join(folder, name))
      if (location !== undefined) return location
    }
    if (dirname(folder) === folder) break
  }
  throw new TestfleetError('FLEET_FILE_NOT_FOUND', `there is no fleet file in ${resolve(workingFolder)} nor above it`, {
    hint: 'Make one with `testfleet init`, or name one with -f.',
  })
}

async function locateFile(path: string): Promise<FleetFileLocation | undefined> {
  try {
    return (await stat(path)).isFile() ? { path, realPath: await realpath(path) } : undefined
  } catch {
    return undefined
  }
}
