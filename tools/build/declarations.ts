import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isolatedDeclarationSync } from 'rolldown/experimental'
import { FlatTypes, renderFlatTypes } from './flatten-types.ts'
import { integrations } from './integrations.ts'
import { type JsonSchema, renderInterface } from './schema-to-type.ts'

/** A generated declaration: TypeScript's own output for it would need zod. */
const fleetFile = 'src/model/fleet-file.d.ts'

/**
 * Writes the library's types to `types/index.d.ts` in `folder`: the public ones and what they are made of. They need no
 * other package, because users of testfleet install nothing else.
 */
export async function declare(root: string, folder: string, schema: JsonSchema): Promise<void> {
  await mkdir(join(folder, 'types'))
  await writeFile(join(folder, 'types/index.d.ts'), renderFlatTypes(readLibraryTypes(root, schema)))
  await mkdir(join(folder, 'types/integrations'))
  const files = new Set(integrations.map((name) => `${name}.ts`))
  for (const file of files) {
    const { text, imported } = declareIntegration(join(root, 'src/integrations', file))
    for (const other of imported) files.add(other)
    await writeFile(join(folder, 'types/integrations', file.replace(/\.ts$/, '.d.ts')), text)
  }
}

/** Returns the types of a file of src/integrations, and the files next to it that they need. They import the library as its user does. */
function declareIntegration(path: string): { readonly text: string; readonly imported: readonly string[] } {
  const { code, errors } = isolatedDeclarationSync(path, readFileSync(path, 'utf8'), { stripInternal: true })
  if (errors.length > 0) throw new Error(`${path}: ${errors.map(({ message }) => message).join('; ')}`)
  const imported = [...code.matchAll(/from ["']\.\/([\w-]+\.ts)["']/g)].map(([, file = '']) => file)
  return { text: code.replaceAll(/(from ["']\.[^"']*)\.ts(["'])/g, '$1.js$2'), imported }
}

/** Reads the types that `src/index.ts` leads to. Only files on that way are read, and nothing is inferred. */
export function readLibraryTypes(root: string, schema: JsonSchema): FlatTypes {
  return new FlatTypes('src/index.d.ts', (file) => {
    if (file === fleetFile) return renderFleetFileTypes(schema)
    const source = file.replace(/\.d\.ts$/, '.ts')
    // Its errors are also about what is not public; `FlatTypes` finds a public declaration without a type.
    return isolatedDeclarationSync(source, readFileSync(join(root, source), 'utf8'), { stripInternal: true }).code
  })
}

/** Renders the types of `src/model/fleet-file.ts` from the JSON Schema. */
export function renderFleetFileTypes(schema: JsonSchema): string {
  const server = schema.properties?.servers?.additionalProperties
  if (!server) throw new Error('the schema has no servers')
  const named = new Map([[server, 'ServerDeclaration']])
  const fleet = { ...schema, description: 'Argument of `defineFleet()`: the fleet file as an object.' }
  const one = { ...server, description: 'One server of a fleet file.' }
  return `${renderInterface('FleetFile', fleet, named)}\n${renderInterface('ServerDeclaration', one, named)}`
}
