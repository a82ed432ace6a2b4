import { TestfleetError } from '../../model/failures.ts'
import type { Engine } from '../engine.ts'
import { type Client, path } from './client.ts'

/** A whole archive takes as long as so many answers. */
const archiveAnswers = 4

export function archiveVerbs(client: Client): Pick<Engine, 'putArchive' | 'getArchive'> {
  return {
    async putArchive(id, folder, archive, options) {
      await client.done({
        method: 'PUT',
        path: path`/containers/${id}/archive`,
        query: { path: folder },
        body: { type: 'application/x-tar', content: archive },
        ...client.within(options, archiveAnswers),
        isRepeatable: true,
      })
    },
    async getArchive(id, from, maxBytes, options) {
      const query = { path: from }
      const call = {
        method: 'GET',
        path: path`/containers/${id}/archive`,
        query,
        ...client.within(options, archiveAnswers),
      } as const
      return client.whole(call, async ({ body }) => {
        const chunks: Buffer[] = []
        let size = 0
        for await (const chunk of body) {
          size += chunk.length
          if (size > maxBytes) throw new TestfleetError('ENGINE_REFUSED', `${from} has more than ${maxBytes} bytes`)
          chunks.push(chunk)
        }
        return Buffer.concat(chunks)
      })
    },
  }
}
