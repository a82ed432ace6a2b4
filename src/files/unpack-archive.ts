import { unpackTar } from 'modern-tar'

/** What the files of a tar archive hold, by their paths. Links and folders are left out. */
export async function unpackFiles(archive: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const entries = await unpackTar(archive)
  const files = entries.filter(({ header }) => header.type === 'file')
  return new Map(files.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString('utf8')]))
}
