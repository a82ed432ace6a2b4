/** Matches an image reference as the engine's API accepts it: `[registry[:port]/]repository[:tag][@digest]`. */
export const IMAGE_REFERENCE =
  /^(?=.{1,512}$)(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/

/** An image reference in its parts, with the registry and the repository that Docker fills in. */
export interface ImageReference {
  /** The registry's host, with its port when one is written; `docker.io` when none is. */
  readonly registry: string
  /** The path in the registry; images of Docker's own start with `library/`. */
  readonly repository: string
  readonly tag: string | undefined
  /** Such as `sha256:…`. */
  readonly digest: string | undefined
}

const DOCKER_HUB = 'docker.io'

export function parseImageReference(text: string): ImageReference {
  const [named = '', digest] = splitAt(text, text.indexOf('@'))
  // A colon before a slash belongs to the registry's port.
  const colon = named.lastIndexOf(':')
  const [name = '', tag] = splitAt(named, colon > named.lastIndexOf('/') ? colon : -1)
  const [first = '', rest] = splitAt(name, name.indexOf('/'))
  // Docker's rule: the first part is a host if it contains a dot, a colon or a capital letter, or is `localhost`.
  const hasHost = rest !== undefined && (/[.:A-Z]/.test(first) || first === 'localhost')
  const registry = hasHost ? first.replace(/^index\.docker\.io$/, DOCKER_HUB) : DOCKER_HUB
  const path = hasHost ? rest : name
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path
  return { registry, repository, tag, digest }
}

function splitAt(text: string, at: number): [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/**
 * Returns the digest by which the reference's registry knows an image, such as `sha256:…`. `repositoryDigests` are the
 * engine's names of the image, each with a digest. Undefined when the image did not come from that repository.
 */
export function findDigest(reference: string, repositoryDigests: readonly string[]): string | undefined {
  const wanted = parseImageReference(reference)
  return repositoryDigests
    .map(parseImageReference)
    .find(({ registry, repository }) => registry === wanted.registry && repository === wanted.repository)?.digest
}

/** Name under which an engine and its archives list an image that has a tag or none, such as `debian:bookworm`. */
export function tagReference(reference: string): string {
  const { registry, repository, tag = 'latest' } = parseImageReference(reference)
  return registry === DOCKER_HUB ? `${repository.replace(/^library\//, '')}:${tag}` : `${registry}/${repository}:${tag}`
}

/** Podman's name of an image as people write it. Podman puts `docker.io/library/` or `localhost/` before short names. */
export function shortenPodmanName(reference: string): string {
  return reference.replace(/^docker\.io\/(?:library\/)?|^localhost\//, '')
}
