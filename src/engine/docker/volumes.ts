import type { Engine } from '../engine.ts'
import { type Client, labelFilter, type Maybe, path } from './client.ts'
import { readTime } from './container-json.ts'

interface VolumeJson {
  readonly Name: string
  readonly CreatedAt?: Maybe<string>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
}

export function volumeVerbs(client: Client): Pick<Engine, 'listVolumes' | 'createVolume' | 'removeVolume'> {
  return {
    async listVolumes(labels, options) {
      const query = { filters: labelFilter(labels) }
      const call = { method: 'GET', path: '/volumes', query, ...client.withDeadline(options) } as const
      const { Volumes } = await client.readObject<{ readonly Volumes?: Maybe<readonly VolumeJson[]> }>(call)
      return (Volumes ?? []).map(({ Name, Labels, CreatedAt }) => ({
        name: Name,
        labels: Labels ?? {},
        createdAtMs: readTime(CreatedAt),
      }))
    },
    async createVolume(name, labels, options) {
      const { Labels } = await client.readObject<VolumeJson>({
        method: 'POST',
        path: '/volumes/create',
        json: { Name: name, Labels: labels },
        // The engine answers a name that is in use with the volume that has it.
        isRepeatable: true,
        ...client.withDeadline(options),
      })
      return Labels ?? {}
    },
    async removeVolume(name, options) {
      const call = { method: 'DELETE', path: path`/volumes/${name}`, ...client.withDeadline(options) } as const
      await client.send({ ...call, acceptsRefusal: ({ status }) => status === 404 })
    },
  }
}
