import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { starterFleet } from '../config/starter-fleet.ts'
import { TestfleetError } from '../model/failures.ts'
import { answer } from './answer.ts'
import type { Call } from './call.ts'

export async function run(call: Call): Promise<number> {
  const name = call.file ?? 'testfleet.yaml'
  const path = join(call.host.workingFolder, name)
  try {
    // `wx` makes the file or fails: there is no moment in which another one could be overwritten.
    await writeFile(path, starterFleet, { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'is there already; nothing was changed' : `cannot be written: ${code}`
    throw new TestfleetError('USAGE', `${name} ${why}`, { cause: error, hint: 'Name another file with -f.' })
  }
  return answer(call, { file: path }, `wrote ${name}; next: testfleet up\n`)
}
