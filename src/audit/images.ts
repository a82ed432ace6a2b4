import { listBaseImages } from '../formats/dockerfile.ts'
import type { Fleet, Position, Server } from '../model/fleet.ts'
import { recipesOf } from './recipes.ts'
import type { Dockerfile, Place, Subject } from './subject.ts'

/** An image that comes from somewhere else. */
export interface ForeignImage {
  readonly server: string | undefined
  readonly at: Place
  readonly reference: string
}

/** Every image that the fleet starts from and does not build. */
export function listImages({ fleet, dockerfiles }: Subject): ForeignImage[] {
  const ofServers = [...fleet.servers.values()].flatMap((server): ForeignImage[] => {
    if (server.image.kind === 'named') {
      const at = { value: ['servers', server.name, 'image'] }
      return [{ server: server.name, at, reference: server.image.reference }]
    }
    const last = recipesOf(server).at(-1)
    if (last?.kind !== 'steps' || last.from.kind !== 'named') return []
    return [{ ...placeOfBase(server, fleet), reference: last.from.reference }]
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

function listInDockerfile({ server, file, instructions }: Dockerfile): ForeignImage[] {
  return listBaseImages(instructions).map(({ line, reference }) => {
    return { server, at: { position: { file, line, column: 1 } }, reference }
  })
}
