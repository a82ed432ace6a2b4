import type { Fleet, Position, Server } from '../model/fleet.ts'
import { recipesOf } from './recipes.ts'
import type { Dockerfile, Place, Subject } from './subject.ts'

/** An image that comes from somewhere else. */
export interface ForeignImage {
  readonly server: string | undefined
  readonly at: Place
  readonly reference: ImageReference
}

export interface ImageReference {
  readonly text: string
  /** Undefined for Docker Hub. */
  readonly registry: string | undefined
  /** Without registry, tag and digest; of Docker Hub's own images without `library/`. */
  readonly name: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

/** Every image that the fleet starts from and does not build. */
export function listImages({ fleet, dockerfiles }: Subject): ForeignImage[] {
  const ofServers = [...fleet.servers.values()].flatMap((server): ForeignImage[] => {
    if (server.image.kind === 'named') {
      const at = { value: ['servers', server.name, 'image'] }
      return [{ server: server.name, at, reference: parseReference(server.image.reference) }]
    }
    const last = recipesOf(server).at(-1)
    if (last?.kind !== 'steps' || last.from.kind !== 'named') return []
    return [{ ...placeOfBase(server, fleet), reference: parseReference(last.from.reference) }]
  })
  return [...ofServers, ...dockerfiles.flatMap(listInDockerfile)]
}

/** Where the image that a server's steps start from is named: by the server, by the base, or, as the default, nowhere. */
function placeOfBase(server: Server, fleet: Fleet): { server: string | undefined; at: Place } {
  const own = ['servers', server.name, 'build']
  if (isNamedAt([...own, 'from'], own, fleet)) return { server: server.name, at: { value: [...own, 'from'] } }
  if (isNamedAt(['base', 'from'], ['base'], fleet)) return { server: undefined, at: { value: ['base', 'from'] } }
  return { server: undefined, at: { key: ['servers'] } }
}

/** What is not in the file is located at what would hold it. */
function isNamedAt(path: readonly string[], holder: readonly string[], { source }: Fleet): boolean {
  return isElsewhere(source.locate(path), source.locate(holder))
}

function isElsewhere(one: Position, other: Position): boolean {
  return one.line !== other.line || one.column !== other.column
}

function listInDockerfile({ server, file, lines }: Dockerfile): ForeignImage[] {
  const stages = new Set(['scratch'])
  const found: ForeignImage[] = []
  for (const { line, instruction, rest } of lines) {
    if (instruction !== 'FROM') continue
    const { image, stage } = parseFrom(rest)
    // What a variable stands for is known to the build alone.
    if (!stages.has(image.toLowerCase()) && !image.includes('$'))
      found.push({ server, at: { position: { file, line, column: 1 } }, reference: parseReference(image) })
    if (stage !== undefined) stages.add(stage)
  }
  return found
}

/** `[--platform=…] IMAGE [AS STAGE]` */
export function parseFrom(rest: string): { readonly image: string; readonly stage: string | undefined } {
  const [image = '', as, stage] = rest.split(/\s+/).filter((word) => !word.startsWith('--'))
  return { image, stage: as?.toLowerCase() === 'as' ? stage?.toLowerCase() : undefined }
}

function parseReference(text: string): ImageReference {
  const [whole = '', digest] = text.split('@')
  const first = whole.split('/')[0] ?? ''
  const registry = whole.includes('/') && /[.:]|^localhost$/.test(first) ? first : undefined
  const path = registry === undefined ? whole : whole.slice(registry.length + 1)
  const [name = '', tag] = path.split(':')
  return { text, registry, name: name.replace(/^library\//, ''), tag, digest }
}
