import type { Engine } from '../engine.ts'
import { type Client, labelFilter, path, within } from './client.ts'
import { readTime } from './container-details.ts'
import type { Maybe, WireVolume } from './wire.ts'

export function volumeVerbs(client: Client): Pick<Engine, 'listVolumes' | 'createVolume' | 'removeVolume'> {
  return {
    async listVolumes(labels, options) {
      const query = { filters: labelFilter(labels) }
      const call = { method: 'GET', path: '/volumes', query, ...within(options) } as const
      const { Volumes } = await client.object<{ readonly Volumes?: Maybe<readonly WireVolume[]> }>(call)
      return (Volumes ?? []).map(({ Name, Labels, CreatedAt }) => ({
        name: Name,
        labels: Labels ?? {},
        createdAtMs: readTime(CreatedAt),
      }))
    },
    async createVolume(name, labels, options) {
      await client.done({
        method: 'POST',
        path: '/volumes/create',
        json: { Name: name, Labels: labels },
        ...within(options),
      })
    },
    async removeVolume(name, options) {
      const call = { method: 'DELETE', path: path`/volumes/${name}`, ...within(options) } as const
      await client.done({ ...call, isFine: ({ status }) => status === 404 })
    },
  }
}
