import type { Engine } from '../engine.ts'
import { readAnswerTimeout } from './answer-timeout.ts'
import { archiveVerbs } from './archives.ts'
import { openClient } from './client.ts'
import { containerVerbs } from './containers.ts'
import type { DockerHome } from './docker-config.ts'
import { imageVerbs } from './images.ts'
import type { DockerLocation } from './location.ts'
import { readLogs } from './logs.ts'
import { networkVerbs } from './networks.ts'
import { systemVerbs } from './system.ts'
import { volumeVerbs } from './volumes.ts'

/** Where the docker command keeps its logins, the PATH of its credential helpers, and TESTFLEET_ENGINE_TIMEOUT. */
export type ConnectOptions = DockerHome

/**
 * Speaks to a Docker engine, or one that speaks its API. Fails at once with ENGINE_CONFIGURATION when
 * TESTFLEET_ENGINE_TIMEOUT is no duration. Sends nothing by itself: the first call finds out who answers,
 * and fails with NO_ENGINE, ENGINE_FORBIDDEN, ENGINE_NOT_DOCKER, ENGINE_TOO_OLD, ENGINE_CONFIGURATION or, within a
 * second for an engine of this machine and three for others, ENGINE_TIMEOUT.
 *
 * @example
 * const engine = connectDocker(await locateEngine(request), { environment, home })
 */
export function connectDocker(location: DockerLocation, options: ConnectOptions): Engine {
  const client = openClient(location, readAnswerTimeout(options))
  return {
    location,
    ...systemVerbs(client),
    ...containerVerbs(client),
    readLogs: (id, request, call) => readLogs(client, id, request, call),
    // What a second `up` with nothing to do never needs is loaded by those who do.
    exec: async (id, request, call) => (await import('./exec.ts')).runExec(client, id, request, call),
    ...archiveVerbs(client),
    ...networkVerbs(client),
    ...volumeVerbs(client),
    ...imageVerbs(client),
    pullImage: async (reference, request, call) =>
      (await import('./pull.ts')).pullImage(client, options, reference, request, call),
    buildImage: async (request, call) => (await import('./build.ts')).buildImage(client, request, call),
    close: client.close,
  }
}
