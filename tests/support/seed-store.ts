import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { Engine } from '../../src/engine/engine.ts'
import type { ImageRecord } from '../../src/engine/local/types.ts'

const run = promisify(execFile)

interface Configuration {
  readonly architecture: string
  readonly config: { readonly Env?: readonly string[]; readonly Cmd?: readonly string[] }
}

/**
 * Puts an image of one layer into a store without the local engine, which does not load archives yet: the layer as a folder,
 * the record, and the name.
 */
export async function seedStore(folder: string, reference: string, from: Engine): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'testfleet-seed-'))
  try {
    await pipeline(Readable.from(from.saveImages([reference])), createWriteStream(join(place, 'archive.tar')))
    await run('tar', ['-xf', 'archive.tar'], { cwd: place })
    const [manifest] = await readJson<{ Config: string; Layers: string[] }[]>(join(place, 'manifest.json'))
    const [layer, ...others] = manifest?.Layers ?? []
    if (manifest === undefined || layer === undefined || others.length > 0)
      throw new Error(`${reference} has ${manifest?.Layers.length ?? 0} layers, and has to have one`)
    const { architecture, config } = await readJson<Configuration>(join(place, manifest.Config))
    const digits = createHash('sha256').update(manifest.Config).digest('hex')
    for (const name of ['layers', 'images', 'references']) await mkdir(join(folder, name), { recursive: true })
    const root = join(folder, 'layers', `.${digits}`)
    await mkdir(root)
    await run('tar', ['-xf', join(place, layer), '-C', root, '--numeric-owner'])
    await rename(root, join(folder, 'layers', digits))
    const record: ImageRecord = {
      ...{ id: `sha256:${digits}`, createdAtMs: Date.now(), layers: [digits], sizeBytes: 0, architecture },
      config: { environment: config.Env ?? [], command: config.Cmd ?? [], labels: {}, volumes: [], exposed: [] },
    }
    await writeFile(join(folder, 'images', `${digits}.json`), JSON.stringify(record))
    await symlink(record.id, join(folder, 'references', encodeURIComponent(reference)))
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

async function readJson<Shape>(path: string): Promise<Shape> {
  return JSON.parse(await readFile(path, 'utf8')) as Shape
}
