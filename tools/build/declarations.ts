import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FlatTypes, renderFlatTypes } from './flatten-types.ts'
import { type JsonSchema, renderInterface } from './schema-to-type.ts'

/** A generated declaration: TypeScript's own output for it would need zod. */
const fleetFile = 'src/model/fleet-file.d.ts'

/**
 * Writes the library's types to `types/index.d.ts` in `folder`: the public ones and what they are made of. They need no
 * other package, because users of testfleet install nothing else.
 */
export async function declare(root: string, folder: string, schema: JsonSchema): Promise<void> {
  const emitted = await mkdtemp(join(root, 'node_modules/.cache/testfleet-types-'))
  try {
    await emitDeclarations(root, emitted)
    await writeFile(join(emitted, fleetFile), renderFleetFileTypes(schema))
    const types = new FlatTypes('src/index.d.ts', (file) => readFileSync(join(emitted, file), 'utf8'))
    await mkdir(join(folder, 'types'))
    await writeFile(join(folder, 'types/index.d.ts'), renderFlatTypes(types))
  } finally {
    await rm(emitted, { recursive: true, force: true })
  }
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

async function emitDeclarations(root: string, folder: string): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['-p', join(root, 'tools/build/tsconfig.json'), '--outDir', folder]
  await promisify(execFile)(process.execPath, [tsc, ...options], { cwd: root }).catch((error: { stdout?: string }) => {
    throw new Error(`the library's types are wrong:\n${error.stdout}`)
  })
}
