import { listBaseImages } from '../../formats/dockerfile.ts'
import { parseImageReference } from '../../formats/image-reference.ts'
import { type Fleet, imageOf, type Server } from '../../model/fleet.ts'
import type { Dockerfile, Place, Sighting, Subject } from '../subject.ts'
import { recipesOf } from '../walk.ts'

/** Reports how images are named, and where they come from. */
function* findImageReferences(subject: Subject): Iterable<Sighting> {
  for (const { server, at, reference } of listImages(subject)) {
    const { tag, digest, registry } = parseImageReference(reference)
    if (digest !== undefined) continue
    if (tag === undefined || tag === 'latest')
      yield { id: 'image-not-pinned', server, at, message: `${reference} is whatever was pushed last` }
    else yield { id: 'image-without-digest', server, at, message: `${reference} is not pinned by digest` }
    if (looksPlain(registry))
      yield { id: 'image-registry-plain', server, at, message: `nothing shows that ${registry} uses TLS` }
  }
}

/** A registry named by address, or at a port other than HTTPS's. On this machine, no network path exists. */
function looksPlain(registry: string): boolean {
  const [host = '', port] = registry.split(':')
  if (host === 'localhost' || host.startsWith('127.')) return false
  return /^\d+(?:\.\d+){3}$/.test(host) || (port !== undefined && port !== '443' && port !== '8443')
}

interface Ended {
  readonly image: string
  /** Start of the tag, up to its end or the next `.` or `-`. */
  readonly tag: RegExp
  readonly what: string
  /** Last day of public security updates, as announced by its makers. */
  readonly on: string
}

/** Well-known releases that had ended when this was written. The list need not be complete. */
const ended: readonly Ended[] = [
  { image: 'debian', tag: /^(?:7|wheezy)/, what: 'Debian 7', on: '2018-05-31' },
  { image: 'debian', tag: /^(?:8|jessie)/, what: 'Debian 8', on: '2020-06-30' },
  { image: 'debian', tag: /^(?:9|stretch)/, what: 'Debian 9', on: '2022-06-30' },
  { image: 'debian', tag: /^(?:10|buster)/, what: 'Debian 10', on: '2024-06-30' },
  { image: 'debian', tag: /^(?:11|bullseye)/, what: 'Debian 11', on: '2026-08-31' },
  { image: 'ubuntu', tag: /^(?:14\.04|trusty)/, what: 'Ubuntu 14.04', on: '2019-04-25' },
  { image: 'ubuntu', tag: /^(?:16\.04|xenial)/, what: 'Ubuntu 16.04', on: '2021-04-30' },
  { image: 'ubuntu', tag: /^(?:18\.04|bionic)/, what: 'Ubuntu 18.04', on: '2023-05-31' },
  { image: 'ubuntu', tag: /^(?:20\.04|focal)/, what: 'Ubuntu 20.04', on: '2025-05-31' },
  { image: 'centos', tag: /^(?:centos)?6/, what: 'CentOS 6', on: '2020-11-30' },
  { image: 'centos', tag: /^(?:centos)?7/, what: 'CentOS 7', on: '2024-06-30' },
  { image: 'centos', tag: /^(?:centos)?8/, what: 'CentOS 8', on: '2021-12-31' },
  { image: 'alpine', tag: /^3\.(?:[0-9]|1[0-5])/, what: 'Alpine 3.15 and older', on: '2023-11-01' },
  { image: 'alpine', tag: /^3\.16/, what: 'Alpine 3.16', on: '2024-05-23' },
  { image: 'alpine', tag: /^3\.17/, what: 'Alpine 3.17', on: '2024-11-22' },
  { image: 'alpine', tag: /^3\.18/, what: 'Alpine 3.18', on: '2025-05-09' },
  { image: 'alpine', tag: /^3\.19/, what: 'Alpine 3.19', on: '2025-11-01' },
  { image: 'node', tag: /^(?:[4-9]|1[0-5])/, what: 'Node 15 and older', on: '2023-04-30' },
  { image: 'node', tag: /^16/, what: 'Node 16', on: '2023-09-11' },
  { image: 'node', tag: /^18/, what: 'Node 18', on: '2025-04-30' },
  { image: 'node', tag: /^20/, what: 'Node 20', on: '2026-04-30' },
  { image: 'python', tag: /^2/, what: 'Python 2', on: '2020-01-01' },
  { image: 'python', tag: /^3\.[0-6]/, what: 'Python 3.6 and older', on: '2021-12-23' },
  { image: 'python', tag: /^3\.7/, what: 'Python 3.7', on: '2023-06-27' },
  { image: 'python', tag: /^3\.8/, what: 'Python 3.8', on: '2024-10-07' },
  { image: 'python', tag: /^3\.9/, what: 'Python 3.9', on: '2025-10-31' },
  { image: 'php', tag: /^[57]/, what: 'PHP 7 and older', on: '2022-11-28' },
  { image: 'php', tag: /^8\.0/, what: 'PHP 8.0', on: '2023-11-26' },
  { image: 'php', tag: /^8\.1/, what: 'PHP 8.1', on: '2025-12-31' },
  { image: 'postgres', tag: /^(?:9|10|11)/, what: 'PostgreSQL 11 and older', on: '2023-11-09' },
  { image: 'postgres', tag: /^12/, what: 'PostgreSQL 12', on: '2024-11-21' },
  { image: 'postgres', tag: /^13/, what: 'PostgreSQL 13', on: '2025-11-13' },
  { image: 'mysql', tag: /^5/, what: 'MySQL 5', on: '2023-10-31' },
]

/** Reports releases that are no longer maintained. */
function* findEndedImages(subject: Subject): Iterable<Sighting> {
  for (const { server, at, reference } of listImages(subject)) {
    const { registry, repository, tag } = parseImageReference(reference)
    if (tag === undefined || registry !== 'docker.io') continue
    const found = ended.find(
      ({ image, tag: start }) => repository === `library/${image}` && startsWithWhole(tag, start),
    )
    if (found === undefined) continue
    const message = `${reference} is of ${found.what}, maintained until ${found.on}`
    yield { id: 'image-end-of-life', server, at, message }
  }
}

/** `3.1` does not match `3.19`. */
function startsWithWhole(tag: string, start: RegExp): boolean {
  const length = start.exec(tag)?.[0].length
  return length !== undefined && !/^[A-Za-z0-9]/.test(tag.slice(length))
}

/** An image that is not built here. */
interface ForeignImage {
  readonly server: string | undefined
  readonly at: Place
  readonly reference: string
}

/** Returns every image that the fleet uses and does not build. */
function listImages({ fleet, dockerfiles }: Subject): ForeignImage[] {
  const ofServers = [...fleet.servers.values()].flatMap((server): ForeignImage[] => {
    const image = imageOf(server)
    if (image?.kind === 'named') {
      const at = { value: ['servers', server.name, 'image'] }
      return [{ server: server.name, at, reference: image.reference }]
    }
    const last = recipesOf(server).at(-1)
    if (last?.kind !== 'steps' || last.from.kind !== 'named') return []
    return [{ ...placeOfBase(server, fleet), reference: last.from.reference }]
  })
  return [...ofServers, ...dockerfiles.flatMap(listInDockerfile)]
}

/** Returns where the base image of a server's steps is named: by the server, by the base, or nowhere if it is the default. */
function placeOfBase(server: Server, fleet: Fleet): { server: string | undefined; at: Place } {
  const own = ['servers', server.name, 'build']
  if (isNamedAt([...own, 'from'], own, fleet)) return { server: server.name, at: { value: [...own, 'from'] } }
  if (isNamedAt(['base', 'from'], ['base'], fleet)) return { server: undefined, at: { value: ['base', 'from'] } }
  return { server: undefined, at: { key: ['servers'] } }
}

/** Locates a missing value at the value that would contain it. */
function isNamedAt(path: readonly string[], holder: readonly string[], { source }: Fleet): boolean {
  const [own, holders] = [source.locate(path), source.locate(holder)]
  return own.line !== holders.line || own.column !== holders.column
}

function listInDockerfile({ server, file, instructions }: Dockerfile): ForeignImage[] {
  return listBaseImages(instructions).map(({ line, reference }) => {
    return { server, at: { position: { file, line, column: 1 } }, reference }
  })
}

export const imageRules = [findImageReferences, findEndedImages]
