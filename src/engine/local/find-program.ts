import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { PROGRAM_FOLDERS } from './programs.ts'

/** Returns the path of a program; undefined when it is not installed. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of PROGRAM_FOLDERS) {
    const path = join(folder, name)
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // It is not in this folder.
    }
  }
  return undefined
}
