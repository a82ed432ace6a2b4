import { readDurationMs } from '../../formats/duration.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Engine, RemoteLocation } from '../engine.ts'
import { openClient } from './client.ts'
import { containerVerbs } from './containers.ts'
import type { DockerHome } from './docker-config.ts'
import { imageVerbs, networkVerbs, volumeVerbs } from './resources.ts'

const defaultAnswerMs = 30_000

/** Time for the first answer of an engine that is waking up, or of a busy machine. */
const defaultPingMs = 10_000

/**
 * Connects to a Docker engine, or to one with the same API. Sends nothing: the first call finds out what answers, and
 * fails with NO_ENGINE, ENGINE_FORBIDDEN, ENGINE_NOT_DOCKER, ENGINE_TOO_OLD, ENGINE_CONFIGURATION or ENGINE_TIMEOUT.
 * Fails with ENGINE_CONFIGURATION when TESTFLEET_ENGINE_TIMEOUT is not a duration.
 *
 * Without a `dockerHome`, pulls use no login, builds use no proxy, and every deadline is the default. Methods that
 * clean-up does not need load their code on demand.
 */
export function connectDocker(location: RemoteLocation, dockerHome?: DockerHome): Engine {
  const timeoutMs = readTimeout(dockerHome?.environment ?? {})
  const client = openClient(location, timeoutMs ?? defaultAnswerMs, timeoutMs ?? defaultPingMs)
  const system = async () => (await import('./system.ts')).systemVerbs(client)
  const archives = async () => (await import('./image-archives.ts')).imageArchiveVerbs(client)
  return {
    location,
    ...containerVerbs(client),
    ...networkVerbs(client),
    ...volumeVerbs(client),
    ...imageVerbs(client),
    version: async (call) => (await system()).version(call),
    info: async (call) => (await system()).info(call),
    readEvents: async (labels, range, call) => (await system()).readEvents(labels, range, call),
    async *followEvents(labels, range, call) {
      yield* (await system()).followEvents(labels, range, call)
    },
    async *readLogs(id, request, call) {
      yield* (await import('./process-output.ts')).readLogs(client, id, request, call)
    },
    copyContainer: async (id, changes, call) =>
      (await import('./copy-container.ts')).copyContainer(client, id, changes, call),
    exec: async (id, request, call) => (await import('./run-exec.ts')).runExec(client, id, request, call),
    pullImage: async (reference, request, call) =>
      (await import('./pull.ts')).pullImage(client, dockerHome, reference, request, call),
    hasCacheMounts: async (call) => (await client.dialect(call)).hasCacheMounts,
    buildImage: async (request, call) => (await import('./build.ts')).buildImage(client, dockerHome, request, call),
    async *saveImages(references, call) {
      yield* (await archives()).saveImages(references, call)
    },
    loadImages: async (archive, call) => (await archives()).loadImages(archive, call),
    close: client.close,
  }
}

/** Returns the time limit for one answer. Fails with ENGINE_CONFIGURATION. */
function readTimeout(environment: DockerHome['environment']): number | undefined {
  const text = environment.TESTFLEET_ENGINE_TIMEOUT
  if (text === undefined || text === '') return undefined
  const timeoutMs = readDurationMs(text)
  if (timeoutMs !== undefined && timeoutMs > 0) return timeoutMs
  const message = `TESTFLEET_ENGINE_TIMEOUT is ${JSON.stringify(text)}, which is not a duration`
  throw new TestfleetError('ENGINE_CONFIGURATION', message, {
    hint: 'Set it to the time limit for one answer of the engine, such as 500ms, 30s or 2m.',
  })
}
