import { createHash } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { TestfleetError } from '../../../model/failures.ts'
import type { CallOptions } from '../../engine.ts'
import { keepSize, openWorkshop, readSize } from '../build/layer.ts'
import { containerPath, needContainer } from '../containers/life.ts'
import { findImage, recordPath } from '../images/find-image.ts'
import { nameImage } from '../images/references.ts'
import { callProgram } from '../programs.ts'
import { makeFolder, newId, writeRecord } from '../store.ts'
import type { ContainerRecord, ImageConfig, ImageRecord, Local } from '../types.ts'

/** Time for the copy of a container's own files. */
const COPY_MS = 600_000

/** Saves a container as an image: a copy of its own files as one more layer. NOT_FOUND. */
export async function commitContainer(
  local: Local,
  idOrName: string,
  reference: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const record = await needContainer(local, idOrName)
  const image = await findImage(local, record.imageId)
  if (image === undefined) throw new TestfleetError('NOT_FOUND', `the image of the container ${record.name} is gone`)
  const workshop = await openWorkshop(local)
  try {
    const layer = newId()
    const up = await makeFolder(containerPath(local, record.id, 'up'))
    const copy = join(workshop.folder, 'up')
    // Links, devices, owners, times and the marks of overlayfs stay.
    const words = ['--archive', '--reflink=auto', '--no-target-directory', '--', up, copy]
    await callProgram(local.machine, 'cp', { arguments: words, signal, timeoutMs: COPY_MS })
    await keepSize(local, layer, copy)
    await rename(copy, local.store.path('layers', layer))
    const config = configOf(record, image.config)
    const layers = [...image.layers, layer]
    const id = `sha256:${createHash('sha256')
      .update(JSON.stringify([layers, config]))
      .digest('hex')}`
    const sizeBytes = image.sizeBytes + (await readSize(local, layer))
    const made: ImageRecord = { ...image, id, layers, config, sizeBytes, createdAtMs: Date.now() }
    await writeRecord(recordPath(local, id), made)
    await nameImage(local, reference, id)
  } finally {
    await workshop.close()
  }
}

/** What the container said about its program, as `docker commit` keeps it. */
function configOf({ spec, labels }: ContainerRecord, config: ImageConfig): ImageConfig {
  const variables = new Map(config.environment.map((text) => [text.split('=', 1)[0] ?? '', text]))
  for (const [name, value] of Object.entries(spec.environment)) variables.set(name, `${name}=${value}`)
  return {
    ...config,
    environment: [...variables.values()],
    labels: { ...config.labels, ...labels },
    ...(spec.command !== undefined && { command: spec.command }),
    ...(spec.entrypoint !== undefined && { entrypoint: spec.entrypoint }),
    ...(spec.user !== undefined && { user: spec.user }),
    ...(spec.workingDir !== undefined && { workingDir: spec.workingDir }),
    ...(spec.stopSignal !== undefined && { stopSignal: spec.stopSignal }),
  }
}
