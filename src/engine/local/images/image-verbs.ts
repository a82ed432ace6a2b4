import { TestfleetError } from '../../../model/failures.ts'
import type { Labels } from '../../../model/labels.ts'
import type { Engine } from '../../engine.ts'
import type { ImageDetails, ImageSummary } from '../../image-types.ts'
import { listNames, readRecord } from '../store.ts'
import type { ImageRecord, Local } from '../types.ts'
import { familiar, findImage, isName, listReferences, namedAtMs } from './find-image.ts'
import { dropUnnamed, findUsers, unnameImage } from './references.ts'

export function imageVerbs(local: Local) {
  return {
    async inspectImage(reference, { signal } = {}) {
      signal?.throwIfAborted()
      const image = await findImage(local, reference)
      return image && describe(local, image)
    },
    async listImages(labels, { signal } = {}) {
      signal?.throwIfAborted()
      return listImages(local, labels)
    },
    async removeImage(reference, { signal } = {}) {
      signal?.throwIfAborted()
      await removeImage(local, reference)
    },
  } satisfies Partial<Engine>
}

async function describe(local: Local, image: ImageRecord): Promise<ImageDetails> {
  const { id, createdAtMs, config, sizeBytes } = image
  const references = (await listReferences(local)).filter((one) => one.id === id)
  const times = await Promise.all(references.map((one) => namedAtMs(local, one.reference)))
  return {
    id,
    repositoryDigests: references.map((one) => one.reference).filter((one) => one.includes('@')),
    createdAtMs,
    namedAtMs: Math.max(createdAtMs, ...times),
    sizeBytes,
    labels: config.labels,
    user: config.user ?? '',
    environment: Object.fromEntries(config.environment.map(splitVariable)),
  }
}

/** A variable without a sign of equality is an empty one. */
function splitVariable(text: string): [name: string, value: string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

async function listImages(local: Local, labels: Labels): Promise<readonly ImageSummary[]> {
  const folder = local.store.path('images')
  const [files, references] = await Promise.all([listNames(folder), listReferences(local)])
  const images = await Promise.all(files.map((file) => readRecord<ImageRecord>(local.store.path('images', file))))
  return images
    .filter((image) => image !== undefined)
    .filter(({ config }) => hasLabels(config.labels, labels))
    .map(({ id, createdAtMs, config }) => ({
      id,
      createdAtMs,
      references: references
        .filter((one) => one.id === id && isName(one.reference) && !one.reference.includes('@'))
        .map((one) => one.reference),
      labels: config.labels,
    }))
}

function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) =>
    value === '' ? Object.hasOwn(labels, name) : labels[name] === value,
  )
}

/** Removes a name; with the last one, the image. By its id, an image with one name at most. */
async function removeImage(local: Local, reference: string): Promise<void> {
  const image = await findImage(local, reference)
  if (image === undefined) return
  const { id } = image
  const all = (await listReferences(local)).filter((one) => one.id === id)
  const named = all.filter((one) => one.reference === familiar(reference))
  const removed = named.length > 0 ? named : all
  if (named.length === 0 && all.filter((one) => isName(one.reference)).length > 1) throw hasNames(reference, all)
  if (removed.length === all.length) {
    const [user] = await findUsers(local, id)
    if (user !== undefined) throw inUse(reference, user)
  }
  for (const one of removed) await unnameImage(local, one.reference, id)
  if (removed.length < all.length) return
  const isGone = await dropUnnamed(local, id)
  if (isGone) return
  const [user] = await findUsers(local, id)
  if (user !== undefined) throw inUse(reference, user)
}

function inUse(reference: string, container: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `the image ${reference} is used by the container ${container}`, {
    hint: 'Remove the container first.',
  })
}

function hasNames(reference: string, all: readonly { readonly reference: string }[]): TestfleetError {
  const names = all.map((one) => one.reference).filter(isName)
  return new TestfleetError('ENGINE_REFUSED', `the image ${reference} has several names: ${names.join(', ')}`, {
    hint: 'Remove it by its names.',
  })
}
