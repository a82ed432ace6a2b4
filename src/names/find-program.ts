import { access, constants, stat } from 'node:fs/promises'
import { delimiter, extname, join, resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** The program's path, found as a shell would. Fails with USAGE, before anything is started for it. */
export async function findProgram(name: string, host: Host): Promise<string> {
  const isPath = name.includes('/') || (host.platform === 'win32' && name.includes('\\'))
  const folders = isPath ? [''] : (host.environment.PATH ?? host.environment.Path ?? '').split(delimiter)
  const endings = host.platform === 'win32' && extname(name) === '' ? ['.exe', '.cmd', '.bat', ''] : ['']
  for (const folder of folders) {
    for (const ending of endings) {
      const path = resolve(host.workingFolder, join(folder, name + ending))
      if (await isProgram(path)) return path
    }
  }
  throw new TestfleetError('USAGE', `there is no program ${JSON.stringify(name)}`, {
    hint: isPath ? 'Check its path, and that it can be executed.' : 'Check its spelling, and that it is on PATH.',
  })
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
