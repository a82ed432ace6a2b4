import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { CallOptions, Engine, ImageDetails } from '../engine.ts'
import { type Client, labelFilter, type Maybe, path } from './client.ts'
import { readTime } from './container-json.ts'

interface ImageSummaryJson {
  readonly Id: string
  readonly RepoTags?: Maybe<readonly string[]>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
}

interface ImageJson {
  readonly Id: string
  readonly RepoDigests?: Maybe<readonly string[]>
  /** RFC 3339. */
  readonly Created?: Maybe<string>
  readonly Size?: Maybe<number>
  readonly Config?: Maybe<{
    readonly Labels?: Maybe<Readonly<Record<string, string>>>
    readonly Healthcheck?: Maybe<{ readonly Test?: Maybe<readonly string[]> }>
  }>
}

export function imageVerbs(client: Client): Pick<Engine, 'inspectImage' | 'listImages' | 'removeImage'> {
  return {
    async inspectImage(reference, options) {
      const call = { method: 'GET', path: path`/images/${reference}/json`, ...client.withDeadline(options) } as const
      const json = await client.readObject<ImageJson>(call).catch((error: unknown) => {
        if (isFailure(error, 'NOT_FOUND')) return undefined
        throw error
      })
      return json && readImage(json)
    },
    async listImages(labels, options) {
      const query = { filters: labelFilter(labels) }
      const images = await client.readList<ImageSummaryJson>({
        method: 'GET',
        path: '/images/json',
        query,
        ...client.withDeadline(options),
      })
      const { familiarName } = await client.dialect(options)
      return images.map((json) => ({
        id: json.Id,
        references: readTags(json).map(familiarName),
        labels: json.Labels ?? {},
      }))
    },
    async removeImage(reference, options) {
      const call = { method: 'DELETE', path: path`/images/${reference}`, ...client.withDeadline(options) } as const
      await client.send({ ...call, acceptsRefusal: ({ status }) => status === 404 })
    },
  }
}

function readTags({ RepoTags }: ImageSummaryJson): readonly string[] {
  return (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')
}

function readImage(json: ImageJson): ImageDetails {
  const test = json.Config?.Healthcheck?.Test ?? []
  return {
    id: json.Id,
    repositoryDigests: (json.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>')),
    createdAtMs: readTime(json.Created),
    sizeBytes: json.Size ?? 0,
    labels: json.Config?.Labels ?? {},
    hasHealthcheck: test.length > 0 && test[0] !== 'NONE',
  }
}

/**
 * Fails with ENGINE_LOST when a pull or a build has not left its image. A stream of lines that is cut between two lines
 * looks like one that has ended.
 */
export async function expectImage(client: Client, reference: string, { signal }: CallOptions): Promise<void> {
  if ((await imageVerbs(client).inspectImage(reference, { signal })) !== undefined) return
  const message = `the engine at ${client.location.url} stopped telling of ${reference} before the image was there`
  throw new TestfleetError('ENGINE_LOST', message, { hint: 'Did the engine stop? Look at its log.' })
}
