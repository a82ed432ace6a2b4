import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { starterFleet } from '../config/starter-fleet.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import { writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const name = call.file ?? 'testfleet.yaml'
  const path = join(call.host.workingFolder, name)
  try {
    // `wx` makes the file or fails: there is no moment in which another one could be overwritten.
    const handle = await open(path, 'wx')
    try {
      await handle.writeFile(starterFleet)
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'is there already; nothing was changed' : `cannot be written: ${code}`
    throw new TestfleetError('USAGE', `${name} ${why}`, { cause: error, hint: 'Name another file with -f.' })
  }
  if (call.json) writeJson(call, { file: path })
  else call.output.write(`wrote ${name}; next: testfleet up\n`)
  return 0
}
