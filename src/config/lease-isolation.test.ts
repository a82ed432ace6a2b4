import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { listPresetNames, readPreset } from './read-preset.ts'

test('the page about what a lease isolates lists every preset that has a recipe', async () => {
  const { presetsFolder } = currentHost()
  const folders = { builtIn: presetsFolder, fleet: presetsFolder }
  const presets = await Promise.all((await listPresetNames(presetsFolder)).map((name) => readPreset(name, folders)))
  const recipes = presets.flatMap((preset) =>
    (['reset', 'database'] as const).filter((key) => preset?.server[key]).map((key) => [preset?.name, key]),
  )
  const page = await readFile(new URL('../../docs/lease-isolation.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)].map(([, name, key]) => [name, key])
  expect(rows).toEqual(recipes)
})
