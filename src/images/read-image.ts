import type { CallOptions, Engine } from '../engine/engine.ts'
import { unpackFiles } from '../files/archive.ts'
import { parseImageReference } from '../formats/image-reference.ts'
import { type ContainerSpec, plainContainer } from '../model/container.ts'
import { isFailure } from '../model/failures.ts'
import { type Labels, label } from '../model/labels.ts'
import { type InstalledPackage, parseDpkgStatus } from './debian-packages.ts'

export interface ImageToRead {
  readonly reference: string
  readonly platform: string | undefined
  /** What the container carries for as long as it is there; the change is among them. */
  readonly labels: Labels
}

/**
 * Reads files of an image by a container that is made for it, never started, and removed. Making it and removing it are
 * not cancelled half-way; what an engine that fails leaves of it goes with the change.
 */
export async function readImage<Result>(
  image: ImageToRead,
  engine: Engine,
  read: (containerId: string) => Promise<Result>,
  options: CallOptions,
): Promise<Result> {
  options.signal?.throwIfAborted()
  const id = await engine.createContainer(describeReader(image))
  try {
    return await read(id)
  } finally {
    await engine.removeContainer(id)
  }
}

/** Nothing of it is ever used but its files. It is of no session, so that nobody takes it for a server. */
function describeReader({ reference, platform, labels }: ImageToRead): ContainerSpec {
  const { tag = 'latest' } = parseImageReference(reference)
  return {
    ...plainContainer,
    name: `testfleet-reads-${tag.slice(0, 32)}.${labels[label.change]}`,
    image: reference,
    platform,
    hostname: 'reader',
    // An image need not have a command.
    command: ['true'],
    labels,
    network: { name: 'none', aliases: [] },
    capDrop: ['ALL'],
  }
}

/** A Debian with all its packages has some fifty megabytes. */
const MAX_DATABASE_BYTES = 64 * 1024 * 1024

/** What dpkg has installed in a container, whether it runs or not; undefined when there is no dpkg. */
export async function readInstalled(
  containerId: string,
  engine: Engine,
  options: CallOptions,
): Promise<readonly InstalledPackage[] | undefined> {
  const read = (path: string) => readFiles(containerId, path, MAX_DATABASE_BYTES, engine, options)
  // Distroless images have a file for each package, in a folder.
  const files = (await read('/var/lib/dpkg/status')) ?? (await read('/var/lib/dpkg/status.d'))
  if (files === undefined) return undefined
  const texts = [...files].filter(([path]) => !path.endsWith('.md5sums')).map(([, text]) => text)
  return parseDpkgStatus(texts.join('\n\n'))
}

/** The files at a path of a container; undefined when there is nothing. */
export async function readFiles(
  containerId: string,
  path: string,
  maxBytes: number,
  engine: Engine,
  options: CallOptions,
): Promise<ReadonlyMap<string, string> | undefined> {
  const archive = await engine.getArchive(containerId, path, maxBytes, options).catch((error: unknown) => {
    if (!isFailure(error, 'NOT_FOUND')) throw error
    return undefined
  })
  return archive && unpackFiles(archive)
}
