import { type Labels, label } from './labels.ts'

/** Packages by their names, with the versions that are installed. */
export type PackageVersions = Readonly<Record<string, string>>

/** The named image that an image stands on. */
export interface BaseRecord {
  readonly reference: string
  /** The engine's id of it. */
  readonly id: string
  /** What its registry calls it, such as `sha256:…`; left out for an image that came from none. */
  readonly digest?: string
}

/** What an image, or a container of it, tells of its packages; none where nothing was recorded, or nothing that can be read. */
export function readPackages(labels: Labels): PackageVersions {
  try {
    const packages: unknown = JSON.parse(labels[label.packages] ?? '{}')
    if (typeof packages !== 'object' || packages === null || Array.isArray(packages)) return {}
    return Object.fromEntries(Object.entries(packages).filter(([, version]) => typeof version === 'string'))
  } catch {
    return {}
  }
}

/** The digest by which the registry of this reference knows the image: `sha256:…`; undefined when it came from none. */
export function registryDigest(reference: string, repositoryDigests: readonly string[]): string | undefined {
  const repository = repositoryOf(reference)
  const found = repositoryDigests.find((candidate) => repositoryOf(candidate) === repository)
  return found?.slice(found.indexOf('@') + 1)
}

/** Without tag and digest, and without what Docker leaves out of the names of its own registry. */
function repositoryOf(reference: string): string {
  const [named = ''] = reference.split('@')
  const colon = named.lastIndexOf(':')
  const name = colon > named.lastIndexOf('/') ? named.slice(0, colon) : named
  return name.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '')
}
