import { TestfleetError } from '../../model/failures.ts'
import type { Engine } from '../engine.ts'
import { type Client, path, within } from './client.ts'

/** For a whole archive. */
const archiveTimeoutMs = 120_000

export function archiveVerbs(client: Client): Pick<Engine, 'putArchive' | 'getArchive'> {
  return {
    async putArchive(id, folder, archive, options) {
      await client.done({
        method: 'PUT',
        path: path`/containers/${id}/archive`,
        query: { path: folder },
        body: { type: 'application/x-tar', content: archive },
        ...within(options, archiveTimeoutMs),
      })
    },
    async getArchive(id, from, maxBytes, options) {
      const query = { path: from }
      const call = {
        method: 'GET',
        path: path`/containers/${id}/archive`,
        query,
        ...within(options, archiveTimeoutMs),
      } as const
      const answer = await client.stream({ ...call, isWhole: true })
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of answer.body) {
        size += chunk.length
        if (size > maxBytes) throw new TestfleetError('ENGINE_REFUSED', `${from} has more than ${maxBytes} bytes`)
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
  }
}
