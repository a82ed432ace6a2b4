import { resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'

/** Fails with USAGE when two options name the same file to write. */
export function refuseSameOutput(files: Call['options'], workingFolder: string): void {
  const known = new Map<string, string>()
  for (const [option, named] of Object.entries(files)) {
    for (const file of [named ?? []].flat().map(String)) {
      const path = resolve(workingFolder, file)
      const other = known.get(path) ?? option
      if (other !== option)
        throw new TestfleetError('USAGE', `--${other} and --${option} name the same file, ${JSON.stringify(file)}`, {
          hint: 'Name two files.',
        })
      known.set(path, option)
    }
  }
}
