import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { mainFile, makeFleetFolder } from './command.ts'

/** Variables by which a client in another language finds the command of these tests. */
export async function clientEnvironment(): Promise<Readonly<Record<string, string>>> {
  const script = `#!/bin/sh\nexec '${process.execPath}' '${mainFile}' "$@"\n`
  const path = join(await makeFleetFolder({ testfleet: script }), 'testfleet')
  await chmod(path, 0o755)
  return { TESTFLEET_BIN: path }
}
