import { shortenPodmanName } from '../../formats/image-reference.ts'
import { isFailure } from '../../model/failures.ts'
import type { Engine, ImageDetails } from '../engine.ts'
import { type Client, labelFilter, path } from './client.ts'
import { readTime } from './container-details.ts'
import type { WireImage, WireImageSummary } from './wire.ts'

export function imageVerbs(client: Client): Pick<Engine, 'inspectImage' | 'listImages' | 'removeImage'> {
  return {
    async inspectImage(reference, options) {
      const call = { method: 'GET', path: path`/images/${reference}/json`, ...client.within(options) } as const
      const wire = await client.object<WireImage>(call).catch((error: unknown) => {
        if (isFailure(error, 'NOT_FOUND')) return undefined
        throw error
      })
      return wire && readImage(wire)
    },
    async listImages(labels, options) {
      const query = { filters: labelFilter(labels) }
      const images = await client.list<WireImageSummary>({
        method: 'GET',
        path: '/images/json',
        query,
        ...client.within(options),
      })
      const { isDocker } = await client.spoken(options)
      return images.map((wire) => ({
        id: wire.Id,
        references: readTags(wire).map((tag) => (isDocker ? tag : shortenPodmanName(tag))),
        labels: wire.Labels ?? {},
      }))
    },
    async removeImage(reference, options) {
      const call = { method: 'DELETE', path: path`/images/${reference}`, ...client.within(options) } as const
      await client.done({ ...call, isFine: ({ status }) => status === 404 })
    },
  }
}

function readTags({ RepoTags }: WireImageSummary): readonly string[] {
  return (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')
}

function readImage(wire: WireImage): ImageDetails {
  const test = wire.Config?.Healthcheck?.Test ?? []
  return {
    id: wire.Id,
    repositoryDigests: (wire.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>')),
    createdAtMs: readTime(wire.Created),
    sizeBytes: wire.Size ?? 0,
    labels: wire.Config?.Labels ?? {},
    hasHealthcheck: test.length > 0 && test[0] !== 'NONE',
  }
}
