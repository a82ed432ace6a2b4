import { posix } from 'node:path'
import { Readable } from 'node:stream'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { leaveOut } from '../../files/leave-out.ts'
import { TLS_FOLDER } from '../../model/certificate.ts'
import type { MountedPath } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import { SECRETS_FOLDER } from '../../model/fleet.ts'
import type { SavedImage } from '../runtime.ts'

/**
 * Saves a container as an image. The engine's commit contains no volume, and keeps the variables and labels of the
 * container; so an image is built on it that has the volumes' content, and the commit is removed.
 *
 * An image that BuildKit builds keeps nothing of the commit's configuration. With Docker's classic builder, the commit
 * stays on the engine as a parent without a name, and the configuration in it can be read there.
 */
export async function saveContainer(
  engine: Engine,
  id: string,
  { reference, labels }: SavedImage,
  options: CallOptions = {},
): Promise<void> {
  const container = await engine.inspectContainer(id, options)
  const image = await engine.inspectImage(container.imageId, options)
  const volumes = await findVolumes(engine, id, container.mounts, options)
  const committed = `${reference}-commit`
  const variables = listOwn(container.environment, image?.environment).filter(([name]) => VARIABLE.test(name))
  try {
    await engine.commitContainer(id, committed, options)
    const dockerfile = [
      `FROM ${committed}`,
      ...variables.map(([name], index) => `ARG TESTFLEET_VALUE_${index}\nENV ${name}=\${TESTFLEET_VALUE_${index}}`),
      ...volumes.map((_, index) => `ARG TESTFLEET_FOLDER_${index}\n${addTo(index)}`),
    ].join('\n')
    await engine.buildImage(
      {
        tags: [reference],
        labels: { ...Object.fromEntries(listOwn(container.labels, image?.labels)), ...labels },
        dockerfile: DOCKERFILE,
        // As arguments, texts of the image never become instructions.
        args: Object.fromEntries([
          ...variables.map(([, value], index) => [`TESTFLEET_VALUE_${index}`, value]),
          ...volumes.map(({ to }, index) => [`TESTFLEET_FOLDER_${index}`, posix.dirname(to)]),
        ]),
        context: packContext(dockerfile, volumes),
      },
      options,
    )
  } finally {
    await engine.removeImage(committed, { ...options, signal: undefined })
  }
}

const DOCKERFILE = 'Dockerfile'
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

/** ADD unpacks an archive, with its owners, modes and links. */
function addTo(index: number): string {
  return `ADD ["${index}.tar", "\${TESTFLEET_FOLDER_${index}}/"]`
}

/** Returns what the container has and its image has not, with the image's value, or an empty one. */
function listOwn(
  ofContainer: Readonly<Record<string, string>>,
  ofImage: Readonly<Record<string, string>> = {},
): [string, string][] {
  const names = Object.keys(ofContainer).filter((name) => ofContainer[name] !== ofImage[name])
  return names.map((name) => [name, ofImage[name] ?? ''])
}

interface Volume {
  readonly to: string
  readonly sizeBytes: number
  /** Reads it as a tar archive. */
  read(): AsyncIterable<Uint8Array>
}

/** Finds the volumes that the container's image declares; outer ones first. */
async function findVolumes(
  engine: Engine,
  id: string,
  mounts: readonly MountedPath[],
  options: CallOptions,
): Promise<readonly Volume[]> {
  const isDeclared = ({ kind, to }: MountedPath): boolean =>
    kind === 'ownVolume' && to !== SECRETS_FOLDER && to !== TLS_FOLDER
  const declared = mounts.filter(isDeclared).sort((one, other) => one.to.length - other.to.length)
  return Promise.all(
    declared.map(async ({ to }) => {
      const inner = mounts.filter((mount) => mount.to.startsWith(`${to}/`)).map((mount) => mount.to)
      const leftOut = inner.map((path) => posix.relative(posix.dirname(to), path))
      const read = (): AsyncIterable<Uint8Array> => leaveOut(engine.readArchive(id, to, options), leftOut)
      let sizeBytes = 0
      for await (const chunk of read()) sizeBytes += chunk.length
      return { to, sizeBytes, read }
    }),
  )
}

/** Packs the Dockerfile and the archives of the volumes as a tar stream. Nothing is kept in memory. */
function packContext(dockerfile: string, volumes: readonly Volume[]): Readable {
  return Readable.from(
    (async function* () {
      // Loaded on demand, as the builds of a fleet load it.
      const { createTarPacker } = await import('modern-tar')
      const { readable, controller } = createTarPacker()
      const add = async (name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<void> => {
        const writer = controller.add({ name, size, type: 'file', mode: 0o644 }).getWriter()
        let left = size
        for await (const chunk of content) {
          left -= chunk.length
          if (left < 0) break
          await writer.write(chunk)
        }
        if (left !== 0) throw new TestfleetError('CONTEXT_CHANGED', `the server's files changed while they were saved`)
        await writer.close()
      }
      const pack = async (): Promise<void> => {
        const text = Buffer.from(dockerfile)
        await add(DOCKERFILE, text.length, Readable.from([text]))
        for (const [index, { sizeBytes, read }] of volumes.entries()) await add(`${index}.tar`, sizeBytes, read())
        controller.finalize()
      }
      pack().catch((error) => controller.error(error))
      yield* readable
    })(),
  )
}
