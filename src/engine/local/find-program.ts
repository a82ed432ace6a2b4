import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { PROGRAM_FOLDERS } from './programs.ts'

const found = new Map<string, string>()

/** Returns the path of a program; undefined when it is not installed. One that was found is not looked for again. */
export async function findProgram(name: string): Promise<string | undefined> {
  const path = found.get(name) ?? (await search(name))
  if (path !== undefined) found.set(name, path)
  return path
}

async function search(name: string): Promise<string | undefined> {
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
