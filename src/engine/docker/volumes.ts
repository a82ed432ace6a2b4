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
      const { Labels } = await client.object<WireVolume>({
        method: 'POST',
        path: '/volumes/create',
        json: { Name: name, Labels: labels },
        // The engine answers a name that is in use with the volume that has it.
        isRepeatable: true,
        ...client.within(options),
      })
      return Labels ?? {}
    },
    async removeVolume(name, options) {
      const call = { method: 'DELETE', path: path`/volumes/${name}`, ...client.within(options) } as const
      await client.done({ ...call, isFine: ({ status }) => status === 404 })
    },
  }
}
