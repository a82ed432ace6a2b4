import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fleetJsonSchema } from '../src/config/json-schema.ts'
import { bundle } from './build/bundle.ts'
import { declare } from './build/declarations.ts'
import { formatManPage } from './build/man-page.ts'
import { collectNotices } from './build/notices.ts'
import { compilePresets } from './build/presets.ts'

/**
 * Builds dist/: the program as a few files that include its packages, its types, its JSON Schema, its presets, and the
 * licences of the included packages. Everything is written to a new folder and then moved, so that a running testfleet
 * never sees a partial build.
 */
const root = dirname(import.meta.dirname)
const cache = join(root, 'node_modules/.cache')

const startedAt = performance.now()
await mkdir(cache, { recursive: true })
const made = await mkdtemp(join(cache, 'testfleet-dist-'))
try {
  const schema = fleetJsonSchema()
  const [bundled] = await Promise.all([bundle(root, made), declare(root, made, schema)])
  await writeFile(join(made, 'testfleet.schema.json'), `${JSON.stringify(schema, null, 2)}\n`)
  await writeFile(join(made, 'testfleet.1'), formatManPage(builtAt()))
  await compilePresets(join(root, 'src/presets'), join(made, 'presets'))
  await writeFile(join(made, 'THIRD_PARTY_NOTICES.txt'), await collectNotices(bundled))
  await chmod(made, 0o755)
  await replace(join(root, 'dist'), made)
} finally {
  await rm(made, { recursive: true, force: true })
}
process.stdout.write(`built dist in ${Math.round(performance.now() - startedAt)} ms\n`)

/** SOURCE_DATE_EPOCH makes two builds equal. */
function builtAt(): Date {
  const { SOURCE_DATE_EPOCH: seconds } = process.env
  return seconds === undefined ? new Date() : new Date(Number(seconds) * 1000)
}

async function replace(folder: string, successor: string): Promise<void> {
  const old = `${successor}-old`
  await rename(folder, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(successor, folder)
  await rm(old, { recursive: true, force: true })
}
