import type { ContainerSummary } from '../../model/container.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { CallOptions, Engine } from '../engine.ts'
import { type Client, labelFilter, type Maybe, path } from './client.ts'
import {
  type ContainerJson,
  type ContainerSummaryJson,
  containerBody,
  readDetails,
  readSummary,
} from './container-json.ts'
import {
  isBeingRemoved,
  isContainerNameTaken,
  isImageMissing,
  missingProgram,
  type Refusal,
  startFailureIn,
  takenPort,
} from './dialect.ts'
import { commandNotFound } from './errors.ts'
import { pause } from './retry.ts'

type ContainerVerbs =
  | 'listContainers'
  | 'listContainersPublishing'
  | 'inspectContainer'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'renameContainer'
  | 'removeContainer'
  | 'waitContainer'

/** Deadlines, as a number of times that one answer may take. */
const createAnswers = 4
const startAnswers = 4
const removeAnswers = 4

interface WaitJson {
  readonly StatusCode?: Maybe<number>
  readonly Error?: Maybe<{ readonly Message?: Maybe<string> }>
}

export function containerVerbs(client: Client): Pick<Engine, ContainerVerbs> {
  return {
    async listContainers(labels, options) {
      const query = { all: true, filters: labelFilter(labels) }
      const call = { method: 'GET', path: '/containers/json', query, ...client.withDeadline(options) } as const
      const listed = await client.readList<ContainerSummaryJson>(call)
      const { listsNetworks } = await client.dialect(options)
      if (listsNetworks) return listed.map(readSummary)
      const found = await Promise.all(listed.map(({ Id }) => inspectListed(client, Id, options)))
      return found.filter((container) => container !== undefined)
    },
    async listContainersPublishing(hostPort, options) {
      const call = { method: 'GET', path: '/containers/json', ...client.withDeadline(options) } as const
      const containers = await client.readList<ContainerSummaryJson>(call)
      return containers.filter(({ Ports }) => Ports?.some((port) => port.PublicPort === hostPort)).map(readSummary)
    },
    async inspectContainer(id, options) {
      return readDetails(await inspect(client, id, client.withDeadline(options)))
    },
    async createContainer(spec, options) {
      const created = await client.readObject<{ readonly Id: string }>({
        method: 'POST',
        path: '/containers/create',
        query: { name: spec.name, platform: spec.platform },
        json: containerBody(spec, await client.dialect(options)),
        ...client.withDeadline(options, createAnswers),
        explainRefusal: (refusal) => explainCreate(refusal, spec.name, spec.image),
      })
      return created.Id
    },
    startContainer: (id, options) => startContainer(client, id, options),
    async stopContainer(id, graceMs, options) {
      await client.send({
        method: 'POST',
        path: path`/containers/${id}/stop`,
        query: { t: Math.ceil(graceMs / 1000) },
        ...client.withDeadline(options, 1, graceMs),
        isRepeatable: true,
      })
    },
    async renameContainer(id, name, options) {
      const call = {
        method: 'POST',
        path: path`/containers/${id}/rename`,
        query: { name },
        ...client.withDeadline(options),
      } as const
      await client.send({ ...call, explainRefusal: (refusal) => explainTakenName(refusal, name) })
    },
    removeContainer: (id, options) => removeContainer(client, id, client.withDeadline(options, removeAnswers)),
    async waitContainer(id, options) {
      const { StatusCode, Error: failed } = await client.readObject<WaitJson>({
        method: 'POST',
        path: path`/containers/${id}/wait`,
        query: { condition: 'not-running' },
        isRepeatable: true,
        ...options,
      })
      if (failed?.Message) throw new TestfleetError('ENGINE_REFUSED', failed.Message)
      return StatusCode ?? 0
    },
  }
}

function inspect(client: Client, id: string, options: CallOptions): Promise<ContainerJson> {
  return client.readObject<ContainerJson>({ method: 'GET', path: path`/containers/${id}/json`, ...options })
}

/** Undefined when the container was removed after it was listed. */
async function inspectListed(client: Client, id: string, options?: CallOptions): Promise<ContainerSummary | undefined> {
  const json = await inspect(client, id, client.withDeadline(options)).catch((error: unknown) => {
    if (isFailure(error, 'NOT_FOUND')) return undefined
    throw error
  })
  return json && readDetails(json)
}

function explainTakenName(refusal: Refusal, name: string): TestfleetError | undefined {
  if (!isContainerNameTaken(refusal)) return undefined
  return new TestfleetError('NAME_TAKEN', `there is a container named ${name} already`, { cause: refusal.words })
}

function explainCreate(refusal: Refusal, name: string, image: string): TestfleetError | undefined {
  const taken = explainTakenName(refusal, name)
  if (taken !== undefined) return taken
  if (!isImageMissing(refusal)) return undefined
  const { words } = refusal
  const why = /platform/i.test(words) ? words : `the engine does not have the image ${image}`
  return new TestfleetError('IMAGE_NOT_FOUND', why, { cause: words })
}

/** Pause between two checks whether another call's removal is done. */
const removalPollMs = 50

async function removeContainer(client: Client, id: string, options: CallOptions): Promise<void> {
  const waitUntil = performance.now() + (options.timeoutMs ?? 0)
  const query = { force: true, v: true }
  for (;;) {
    const call = { method: 'DELETE', path: path`/containers/${id}`, query, ...options } as const
    if ((await client.send({ ...call, acceptsRefusal: isGoneOrGoing })) !== 409) return
    if (performance.now() > waitUntil) {
      throw new TestfleetError('ENGINE_TIMEOUT', `another call's removal of the container ${id} did not end in time`)
    }
    await pause(removalPollMs, options.signal)
  }
}

function isGoneOrGoing(refusal: Refusal): boolean {
  return refusal.status === 404 || isBeingRemoved(refusal)
}

const longestStartPauseMs = 800

/**
 * A start that breaks off is checked: a container that runs was started, and one that is as it was created is started
 * again. One that has ended may have done its work and must not do it twice: then the failure stands.
 */
async function startContainer(client: Client, id: string, options: CallOptions | undefined): Promise<void> {
  const limited = client.withDeadline(options, startAnswers)
  const call = {
    method: 'POST',
    path: path`/containers/${id}/start`,
    ...limited,
    explainRefusal: explainStart,
  } as const
  for (let pauseMs = 50; ; pauseMs *= 4) {
    try {
      await client.send(call)
      return
    } catch (error) {
      if (!isFailure(error, 'ENGINE_LOST')) throw error
      await pause(pauseMs, limited.signal)
      const state = (await inspect(client, id, limited)).State?.Status
      if (state === 'running') return
      if (state !== 'created' || pauseMs >= longestStartPauseMs) throw error
    }
  }
}

/** Explains from the engine's words why a container did not start: it has one status for every reason. */
export function explainStart({ status, words }: Refusal): TestfleetError | undefined {
  if (status === 404) return undefined
  const port = takenPort(words)
  if (port !== undefined) {
    return new TestfleetError('PORT_TAKEN', `something else has the port already: ${port}`, { cause: words })
  }
  const missing = missingProgram(words)
  if (missing !== undefined) return commandNotFound(missing, words)
  return new TestfleetError('START_FAILED', `the container could not be started: ${startFailureIn(words)}`, {
    hint: hintFor(words),
    cause: words,
  })
}

function hintFor(words: string): string | undefined {
  if (/bind: permission denied|cannot expose privileged port|ip_unprivileged_port_start/i.test(words)) {
    return 'This engine may not open ports below 1024 of the host: use a higher one.'
  }
  if (/cannot assign requested address/i.test(words))
    return 'The address to publish the port at is not one of the host.'
  if (/network \S+ not found/i.test(words)) return 'Its network was removed in the meantime: run the command again.'
  return undefined
}
