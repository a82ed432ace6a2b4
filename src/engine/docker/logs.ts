import type { OutputChunk } from '../../model/container.ts'
import type { CallOptions, LogRequest } from '../engine.ts'
import { type Client, path } from './client.ts'
import type { HttpResponse } from './connection.ts'
import type { ContainerJson } from './container-json.ts'
import { asStdout, demultiplex } from './process-output.ts'

/** A log that is followed may be silent for long, and 20.10 sends no header before its first line: it has no deadline. */
export async function* readLogs(
  client: Client,
  id: string,
  request: LogRequest,
  options: CallOptions = {},
): AsyncGenerator<OutputChunk, void, void> {
  const response = await client.openStream({
    method: 'GET',
    path: path`/containers/${id}/logs`,
    query: {
      stdout: true,
      stderr: true,
      follow: request.follow,
      tail: request.tail ?? 'all',
      timestamps: request.timestamps ?? false,
    },
    ...(request.follow ? options : client.withDeadline(options)),
  })
  try {
    yield* (await isMultiplexed(client, id, response, options)) ? demultiplex(response.body) : asStdout(response.body)
  } finally {
    response.drop()
  }
}

/** From API 1.42 on, the type of the answer tells; before, only whether the container has a terminal. */
async function isMultiplexed(
  client: Client,
  id: string,
  response: HttpResponse,
  options: CallOptions,
): Promise<boolean> {
  if (response.headers['content-type'] === 'application/vnd.docker.multiplexed-stream') return true
  const call = { method: 'GET', path: path`/containers/${id}/json`, ...client.withDeadline(options) } as const
  return (await client.readObject<ContainerJson>(call)).Config?.Tty !== true
}
