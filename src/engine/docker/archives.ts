import type { Engine } from '../engine.ts'
import { type Client, path } from './client.ts'
import { readAll } from './connection.ts'

/** The deadline of an archive, as a number of times that one answer may take. */
const archiveAnswers = 4

export function archiveVerbs(client: Client): Pick<Engine, 'putArchive' | 'getArchive'> {
  return {
    async putArchive(id, folder, archive, options) {
      await client.send({
        method: 'PUT',
        path: path`/containers/${id}/archive`,
        query: { path: folder },
        body: { type: 'application/x-tar', content: archive },
        ...client.withDeadline(options, archiveAnswers),
        isRepeatable: true,
      })
    },
    getArchive(id, from, maxBytes, options) {
      const query = { path: from }
      const limited = client.withDeadline(options, archiveAnswers)
      return client.sendAndRead(
        { method: 'GET', path: path`/containers/${id}/archive`, query, ...limited },
        ({ body }) => readAll(body, maxBytes, from),
      )
    },
  }
}
