import { readFile, stat } from 'node:fs/promises'

/** The members of an archive, as files. */
export interface Members {
  /** Path of the file with the content of a member. */
  fileOf(name: string): string | undefined
}

export interface ArchivedImage {
  /** Names of members. */
  readonly config: string
  readonly layers: readonly string[]
  readonly references: readonly string[]
}

const MOST_BYTES = 16 << 20

/** Lists the images of an archive of `docker save`, or of an OCI layout. */
export async function listImages(members: Members): Promise<readonly ArchivedImage[]> {
  const manifest = await readJson(members, 'manifest.json')
  if (Array.isArray(manifest)) return manifest.map(readEntry)
  const index = await readJson(members, 'index.json')
  if (index === undefined) throw new Error('it has no images')
  return listLayout(members, index as IndexJson)
}

async function readJson(members: Members, name: string): Promise<unknown> {
  const path = members.fileOf(name)
  if (path === undefined) return undefined
  if ((await stat(path)).size > MOST_BYTES) throw new Error(`its ${name} is too long`)
  return JSON.parse(await readFile(path, 'utf8'))
}

function readEntry(value: unknown): ArchivedImage {
  const { Config, RepoTags, Layers } = (value ?? {}) as Partial<Record<string, unknown>>
  if (typeof Config !== 'string' || !isTexts(Layers)) throw new Error('it has a list of images that cannot be read')
  return { config: Config, layers: Layers, references: isTexts(RepoTags) ? RepoTags : [] }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

interface DescriptorJson {
  readonly mediaType?: string
  readonly digest?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: { readonly architecture?: string }
}

interface IndexJson {
  readonly manifests?: readonly DescriptorJson[]
}

interface ManifestJson {
  readonly config?: DescriptorJson
  readonly layers?: readonly DescriptorJson[]
  readonly manifests?: readonly DescriptorJson[]
}

async function listLayout(members: Members, { manifests = [] }: IndexJson): Promise<readonly ArchivedImage[]> {
  const found: ArchivedImage[] = []
  for (const { digest, annotations } of manifests) {
    const name = annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name']
    const manifest = (await readJson(members, blobOf(digest))) as ManifestJson | undefined
    // An index of several platforms has one manifest for each.
    const inner = manifest?.manifests?.[0]
    const chosen = inner === undefined ? manifest : ((await readJson(members, blobOf(inner.digest))) as ManifestJson)
    if (chosen?.config === undefined) throw new Error(`it lacks ${digest ?? 'a manifest'}, which an image in it needs`)
    found.push({
      config: blobOf(chosen.config.digest),
      layers: (chosen.layers ?? []).map((layer) => blobOf(layer.digest)),
      references: name === undefined ? [] : [name],
    })
  }
  return found
}

function blobOf(digest: string | undefined): string {
  const [, kind = '', digits = ''] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(digest ?? '') ?? []
  return `blobs/${kind}/${digits}`
}
