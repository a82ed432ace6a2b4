import type { CallOptions, Engine } from '../engine/engine.ts'
import { parseImageReference } from '../formats/image-reference.ts'
import { type ContainerSpec, plainContainer } from '../model/container.ts'
import { type Labels, label } from '../model/labels.ts'

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
