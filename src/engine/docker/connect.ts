import { readDurationMs } from '../../formats/duration.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Engine, EngineLocation } from '../engine.ts'
import { openClient } from './client.ts'
import { containerVerbs } from './containers.ts'
import type { DockerHome } from './docker-config.ts'
import { imageVerbs, networkVerbs, volumeVerbs } from './resources.ts'

const defaultAnswerMs = 30_000

/** An engine that wakes up, or a busy machine, may take this long to answer the first ping. */
const defaultPingMs = 10_000

/**
 * Connects to a Docker engine, or one that speaks its API. Sends nothing: the first verb finds out who answers, and fails
 * with NO_ENGINE, ENGINE_FORBIDDEN, ENGINE_NOT_DOCKER, ENGINE_TOO_OLD, ENGINE_CONFIGURATION or ENGINE_TIMEOUT. Fails
 * with ENGINE_CONFIGURATION when TESTFLEET_ENGINE_TIMEOUT is not a duration.
 *
 * Without a `dockerHome`, pulls use no login, builds no proxy, and every deadline is the default. What cleaning up does not need is loaded
 * by the verbs that need it.
 */
export function connectDocker(location: EngineLocation, dockerHome?: DockerHome): Engine {
  const timeoutMs = readTimeout(dockerHome?.environment ?? {})
  const client = openClient(location, timeoutMs ?? defaultAnswerMs, timeoutMs ?? defaultPingMs)
  const system = async () => (await import('./system.ts')).systemVerbs(client)
  return {
    location,
    ...containerVerbs(client),
    ...networkVerbs(client),
    ...volumeVerbs(client),
    ...imageVerbs(client),
    version: async (call) => (await system()).version(call),
    info: async (call) => (await system()).info(call),
    readEvents: async (labels, range, call) => (await system()).readEvents(labels, range, call),
    async *readLogs(id, request, call) {
      yield* (await import('./process-output.ts')).readLogs(client, id, request, call)
    },
    exec: async (id, request, call) => (await import('./run-exec.ts')).runExec(client, id, request, call),
    pullImage: async (reference, request, call) =>
      (await import('./pull.ts')).pullImage(client, dockerHome, reference, request, call),
    buildImage: async (request, call) => (await import('./build.ts')).buildImage(client, dockerHome, request, call),
    close: client.close,
  }
}

/** How long one answer may take. Fails with ENGINE_CONFIGURATION. */
function readTimeout(environment: DockerHome['environment']): number | undefined {
  const text = environment.TESTFLEET_ENGINE_TIMEOUT
  if (text === undefined || text === '') return undefined
  const timeoutMs = readDurationMs(text)
  if (timeoutMs !== undefined && timeoutMs > 0) return timeoutMs
  const message = `TESTFLEET_ENGINE_TIMEOUT is ${JSON.stringify(text)}, which is no duration`
  throw new TestfleetError('ENGINE_CONFIGURATION', message, {
    hint: 'It says how long one answer of the engine may take, such as 500ms, 30s or 2m.',
  })
}
