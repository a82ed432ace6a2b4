import type { OutputChunk } from '../../model/container.ts'
import type { CallOptions, LogRequest } from '../engine.ts'
import { type Client, path } from './client.ts'
import { asStdout, demultiplex } from './demultiplex.ts'
import type { Answer } from './transport.ts'
import type { WireContainer } from './wire.ts'

/** A log that is followed may be silent for long, and 20.10 sends no header before its first line: it has no deadline. */
export async function* readLogs(
  client: Client,
  id: string,
  request: LogRequest,
  options: CallOptions = {},
): AsyncGenerator<OutputChunk, void, void> {
  const answer = await client.stream({
    method: 'GET',
    path: path`/containers/${id}/logs`,
    query: {
      stdout: true,
      stderr: true,
      follow: request.follow,
      tail: request.tail ?? 'all',
      timestamps: request.timestamps ?? false,
    },
    ...(request.follow ? options : client.within(options)),
  })
  try {
    yield* (await isMultiplexed(client, id, answer, options)) ? demultiplex(answer.body) : asStdout(answer.body)
  } finally {
    answer.drop()
  }
}

/** From API 1.42 on, the type of the answer tells; before, only whether the container has a terminal. */
async function isMultiplexed(client: Client, id: string, answer: Answer, options: CallOptions): Promise<boolean> {
  if (answer.headers['content-type'] === 'application/vnd.docker.multiplexed-stream') return true
  const call = { method: 'GET', path: path`/containers/${id}/json`, ...client.within(options) } as const
  return (await client.object<WireContainer>(call)).Config?.Tty !== true
}
