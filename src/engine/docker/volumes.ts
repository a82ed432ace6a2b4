import type { Labels } from '../../model/labels.ts'
import type { Engine } from '../engine.ts'
import { type Client, labelFilter, type Maybe, path } from './client.ts'
import { readTime } from './container-json.ts'
import { isMissing } from './dialect.ts'

interface VolumeJson {
  readonly Name: string
  readonly CreatedAt?: Maybe<string>
  readonly Labels?: Maybe<Labels>
}

export function volumeVerbs(client: Client) {
  return {
    async listVolumes(labels, options) {
      const query = { filters: labelFilter(labels) }
      const { Volumes } = await client.readObject<{ readonly Volumes?: Maybe<readonly VolumeJson[]> }>(
        'GET /volumes',
        options,
        { query },
      )
      return (Volumes ?? []).map(({ Name, Labels, CreatedAt }) => ({
        name: Name,
        labels: Labels ?? {},
        createdAtMs: readTime(CreatedAt),
      }))
    },
    async createVolume(name, labels, options) {
      // The engine answers a name that is in use with the volume that has it.
      const request = { json: { Name: name, Labels: labels }, isRepeatable: true }
      return (await client.readObject<VolumeJson>('POST /volumes/create', options, request)).Labels ?? {}
    },
    async removeVolume(name, options) {
      await client.send(path`DELETE /volumes/${name}`, options, { acceptsRefusal: isMissing })
    },
  } satisfies Partial<Engine>
}
