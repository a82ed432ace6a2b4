import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { COMPILED_PRESET_FILE, listPresetNames, PRESET_FILE, readPreset } from '../../src/config/read-preset.ts'
import { currentHost } from '../../src/current-host.ts'

/**
 * Compiles the presets of `source` to JSON in `folder`, which is read without a YAML parser and without a schema. Fails
 * for an invalid preset, and for one that gives no valid server without options.
 */
export async function compilePresets(source: string, folder: string): Promise<void> {
  await cp(source, folder, { recursive: true })
  const host = { ...currentHost(), presetsFolder: source }
  for (const name of await listPresetNames(source)) {
    const preset = await readPreset(name, { builtIn: source, fleet: source })
    if (preset === undefined) throw new Error(`the folder ${name} has no ${PRESET_FILE}`)
    await loadFleet({ kind: 'object', value: { servers: { server: { preset: name } } }, folder: source }, host)
    const { description, options, synonyms, configuration, server } = preset
    const compiled = { description, options, synonyms, configuration, server }
    await writeFile(join(folder, name, COMPILED_PRESET_FILE), JSON.stringify(compiled))
    await rm(join(folder, name, PRESET_FILE))
  }
}
