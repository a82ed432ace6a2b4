import { parseImageReference } from '../../formats/image-reference.ts'
import { listImages } from '../images.ts'
import type { Sighting, Subject } from '../subject.ts'

/** Which image it is, and where it comes from. */
export function* findImageReferences(subject: Subject): Iterable<Sighting> {
  for (const { server, at, reference } of listImages(subject)) {
    const { tag, digest, registry } = parseImageReference(reference)
    if (digest !== undefined) continue
    if (tag === undefined || tag === 'latest')
      yield { id: 'image-not-pinned', server, at, message: `${reference} is whatever was pushed last` }
    else yield { id: 'image-without-digest', server, at, message: `${reference} is not pinned by digest` }
    if (looksPlain(registry))
      yield { id: 'image-registry-plain', server, at, message: `nothing shows that ${registry} speaks TLS` }
  }
}

/** By address, or at a port that is not one of HTTPS. What is on this machine is not on the way of anyone. */
function looksPlain(registry: string): boolean {
  const [host = '', port] = registry.split(':')
  if (host === 'localhost' || host.startsWith('127.')) return false
  return /^\d+(?:\.\d+){3}$/.test(host) || (port !== undefined && port !== '443' && port !== '8443')
}
