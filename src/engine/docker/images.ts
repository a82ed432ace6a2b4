import type { Labels } from '../../model/labels.ts'
import type { CallOptions, Engine, ImageDetails } from '../engine.ts'
import { type Client, labelFilter, type Maybe, path } from './client.ts'
import { readTime } from './container-json.ts'
import { isMissing } from './dialect.ts'
import { engineLost, undefinedIfMissing } from './errors.ts'

interface ImageSummaryJson {
  readonly Id: string
  readonly RepoTags?: Maybe<readonly string[]>
  readonly Labels?: Maybe<Labels>
}

interface ImageJson {
  readonly Id: string
  readonly RepoDigests?: Maybe<readonly string[]>
  /** RFC 3339. */
  readonly Created?: Maybe<string>
  readonly Size?: Maybe<number>
  readonly Config?: Maybe<{ readonly Labels?: Maybe<Labels> }>
}

export function imageVerbs(client: Client) {
  return {
    async inspectImage(reference, options) {
      const asked = client.readObject<ImageJson>(path`GET /images/${reference}/json`, options)
      const json = await asked.catch(undefinedIfMissing)
      return json && readImage(json)
    },
    async listImages(labels, options) {
      const query = { filters: labelFilter(labels) }
      const images = await client.readList<ImageSummaryJson>('GET /images/json', options, { query })
      const { familiarName } = await client.dialect(options)
      return images.map(({ Id, RepoTags, Labels }) => {
        const tags = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')
        return { id: Id, references: tags.map(familiarName), labels: Labels ?? {} }
      })
    },
    async removeImage(reference, options) {
      await client.send(path`DELETE /images/${reference}`, options, { acceptsRefusal: isMissing })
    },
  } satisfies Partial<Engine>
}

function readImage(json: ImageJson): ImageDetails {
  return {
    id: json.Id,
    repositoryDigests: (json.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>')),
    createdAtMs: readTime(json.Created),
    sizeBytes: json.Size ?? 0,
    labels: json.Config?.Labels ?? {},
  }
}

/**
 * Fails with ENGINE_LOST when a pull or a build has not left its image. A stream of lines that is cut between two lines
 * looks like one that has ended.
 */
export async function expectImage(client: Client, reference: string, { signal }: CallOptions): Promise<void> {
  if ((await imageVerbs(client).inspectImage(reference, { signal })) !== undefined) return
  throw engineLost(`the engine at ${client.location.url} stopped telling of ${reference} before the image was there`)
}
