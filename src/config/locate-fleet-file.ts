import { realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import { say } from '../model/surface.ts'
import { type Caller, trustFoundFile } from './trust-fleet-file.ts'

/** File names, in the order in which each folder is searched. */
const fleetFileNames = ['yaml', 'yml', 'json', 'ts', 'mts', 'js', 'mjs'].map((extension) => `testfleet.${extension}`)

export interface FleetFileLocation {
  /** Absolute, as the caller reaches the file. The fleet's folder is the one in this path. */
  readonly path: string
  /** The same file with every link resolved, so that one file has one real path however it is reached. */
  readonly realPath: string
}

/**
 * Locates the fleet file: the one named, or the first found in the working folder and then upwards. The file is neither
 * read nor run. Fails with FLEET_FILE_NOT_FOUND, and with FLEET_FILE_NOT_TRUSTED for one that was found and may not be used.
 */
export async function locateFleetFile(named: string | undefined, host: Caller): Promise<FleetFileLocation> {
  const workingFolder = resolve(host.workingFolder)
  if (named !== undefined) {
    const location = await locateFile(resolve(workingFolder, named))
    if (location !== undefined) return location
    throw new TestfleetError('FLEET_FILE_NOT_FOUND', `${named} is not a file`, {
      hint: `Name a fleet file with ${say('file')}, or make one with \`testfleet init\`.`,
    })
  }
  for (let folder = workingFolder; ; folder = dirname(folder)) {
    for (const name of fleetFileNames) {
      const location = await locateFile(join(folder, name))
      if (location === undefined) continue
      trustFoundFile(location, { ...host, workingFolder })
      return location
    }
    if (dirname(folder) === folder) break
  }
  throw new TestfleetError('FLEET_FILE_NOT_FOUND', `there is no fleet file in ${workingFolder} nor above it`, {
    hint: `Make one with \`testfleet init\`, or name one with ${say('file')}.`,
  })
}

async function locateFile(path: string): Promise<FleetFileLocation | undefined> {
  try {
    return (await stat(path)).isFile() ? { path, realPath: await realpath(path) } : undefined
  } catch {
    return undefined
  }
}
