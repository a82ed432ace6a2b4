import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { isFailure } from '../../src/model/failures.ts'
import type { Fleet } from '../../src/model/fleet.ts'
import type { Host } from '../../src/model/host.ts'

const presetsFolder = join(import.meta.dirname, '../../src/presets')

/** Loads the text of a fleet file, with the catalogue's presets. */
export async function loadText(
  text: string,
  name = 'testfleet.yaml',
  environment: Host['environment'] = {},
): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-text-'))
  const host = { workingFolder: folder, environment, platform: 'linux', presetsFolder } as unknown as Host
  try {
    await writeFile(join(folder, name), text)
    return await loadFleet({ kind: 'file', named: name }, host)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Every mistake in the text of a fleet file, as `line:column field: message`. */
export async function mistakesIn(text: string, name?: string, environment?: Host['environment']): Promise<string[]> {
  const error = await loadText(text, name, environment).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error === undefined) return []
  if (!isFailure(error, 'FLEET_FILE_INVALID')) throw error
  return error.mistakes.map(({ at, field, message }) => `${at.line}:${at.column} ${field}: ${message}`)
}
