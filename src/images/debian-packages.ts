import { isBlock } from '../formats/block.ts'
import { type Labels, label, type PackageVersions } from '../model/labels.ts'

export interface InstalledPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** What is installed, by the text of /var/lib/dpkg/status, in the order of names. */
export function parseDpkgStatus(text: string): readonly InstalledPackage[] {
  const packages = text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = readFields(paragraph)
    const [name, version] = [fields.get('package'), fields.get('version')]
    if (name === undefined || version === undefined) return []
    // What was removed stays in the list for its configuration. A distroless image does not note a status.
    const status = fields.get('status')
    if (status !== undefined && !status.endsWith(' installed')) return []
    return [{ name, version, architecture: fields.get('architecture') ?? 'all' }]
  })
  return packages.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
}

/** The versions of the packages that were asked for, as `apt-get install` takes them. Virtual ones have none. */
export function findVersions(asked: readonly string[], installed: readonly InstalledPackage[]): PackageVersions {
  const names = [...new Set(asked.map((word) => word.split('=')[0] ?? ''))].sort()
  return Object.fromEntries(
    names.flatMap((word) => {
      const [name, architecture] = word.split(':')
      const found = installed.find(
        (candidate) =>
          candidate.name === name && (architecture === undefined || candidate.architecture === architecture),
      )
      return found === undefined ? [] : [[word, found.version]]
    }),
  )
}

/** The packages that the labels of an image, or of its container, record. Empty when the label is missing or unreadable. */
export function readPackages(labels: Labels): PackageVersions {
  try {
    const packages: unknown = JSON.parse(labels[label.packages] ?? '{}')
    if (!isBlock(packages)) return {}
    return Object.fromEntries(
      Object.entries(packages).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
  } catch {
    return {}
  }
}

/** The fields of one line each; those that go on in further lines are not needed. */
function readFields(paragraph: string): ReadonlyMap<string, string> {
  const matches = paragraph.matchAll(/^([A-Za-z-]+):[ \t]*(.*)$/gm)
  return new Map([...matches].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]))
}

function keyOf({ name, architecture }: InstalledPackage): string {
  return `${name}:${architecture}`
}
