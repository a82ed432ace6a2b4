import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { type JsonSchema, renderInterface } from './schema-to-type.ts'

/** The declaration that is generated: what TypeScript writes for it needs zod. */
const fleetFile = 'src/model/fleet-file.d.ts'

/** Specifiers of `import … from`, `export … from` and `import('…')`, as TypeScript writes them in declarations. */
const specifier = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s*)(['"])([^'"]+)\2/g

/**
 * Writes the types that the library's index leads to, to `types` in `folder`, with no word of a package in them: who
 * uses testfleet installs testfleet, and nothing else.
 */
export async function declare(root: string, folder: string, schema: JsonSchema): Promise<void> {
  const emitted = await mkdtemp(join(root, 'node_modules/.cache/testfleet-types-'))
  try {
    await emitDeclarations(root, emitted)
    await writeFile(join(emitted, fleetFile), renderFleetFileTypes(schema))
    for (const [file, text] of await followImports(emitted, 'src/index.d.ts')) {
      const target = join(folder, 'types', relative('src', file))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, text)
    }
  } finally {
    await rm(emitted, { recursive: true, force: true })
  }
}

/** The types of `src/model/fleet-file.ts`, out of the JSON Schema. */
export function renderFleetFileTypes(schema: JsonSchema): string {
  const server = schema.properties?.servers?.additionalProperties
  if (!server) throw new Error('the schema has no servers')
  const named = new Map([[server, 'ServerDeclaration']])
  const fleet = { ...schema, description: 'What `defineFleet()` takes: the fleet file as an object.' }
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

/** All declarations that `entry` leads to, by path below `folder`, with imports as they are found once installed. */
async function followImports(folder: string, entry: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  const queue = [entry]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (texts.has(file)) continue
    const text = await readFile(join(folder, file), 'utf8')
    const imports = [...text.matchAll(specifier)].map((match) => match[3] as string)
    const foreign = imports.find((name) => !name.startsWith('.') && !name.startsWith('node:'))
    if (foreign !== undefined) throw new Error(`the public type ${file} needs the package ${foreign}`)
    queue.push(
      ...imports
        .filter((name) => name.startsWith('.'))
        .map((name) => join(dirname(file), name.replace(/\.ts$/, '.d.ts'))),
    )
    texts.set(
      file,
      text.replace(specifier, (_, before, quote, name) => `${before}${quote}${toJs(name)}${quote}`),
    )
  }
  return texts
}

function toJs(name: string): string {
  return name.startsWith('.') ? name.replace(/\.ts$/, '.js') : name
}
