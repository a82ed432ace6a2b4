import type { Engine } from '../engine.ts'
import { type Client, labelFilter, path } from './client.ts'
import { readTime } from './container-details.ts'
import type { Maybe, WireVolume } from './wire.ts'

export function volumeVerbs(client: Client): Pick<Engine, 'listVolumes' | 'createVolume' | 'removeVolume'> {
  return {
    async listVolumes(labels, options) {
      const query = { filters: labelFilter(labels) }
      const call = { method: 'GET', path: '/volumes', query, ...client.within(options) } as const
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
        // Of a name that is there already, the engine makes no second one.
        isRepeatable: true,
        ...client.within(options),
      })
    },
    async removeVolume(name, options) {
      const call = { method: 'DELETE', path: path`/volumes/${name}`, ...client.within(options) } as const
      await client.done({ ...call, isFine: ({ status }) => status === 404 })
    },
  }
}
