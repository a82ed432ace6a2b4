import type { ContainerSummary } from '../../model/container.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { CallOptions, Engine } from '../engine.ts'
import { type Client, labelFilter, path } from './client.ts'
import { containerBody } from './container-body.ts'
import { readDetails, readSummary } from './container-details.ts'
import type { Refusal } from './refusal.ts'
import { pause } from './repeat.ts'
import { startContainer } from './start-container.ts'
import type { WireContainer, WireContainerSummary, WireCreated, WireWait } from './wire.ts'

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

/** How many answers' time these take. */
const createAnswers = 4
const removeAnswers = 4

export function containerVerbs(client: Client): Pick<Engine, ContainerVerbs> {
  return {
    async listContainers(labels, options) {
      const query = { all: true, filters: labelFilter(labels) }
      const call = { method: 'GET', path: '/containers/json', query, ...client.within(options) } as const
      const listed = await client.list<WireContainerSummary>(call)
      const { isDocker } = await client.spoken(options)
      if (isDocker) return listed.map(readSummary)
      // Podman's list lacks networks and addresses (4.3).
      const found = await Promise.all(listed.map(({ Id }) => inspectListed(client, Id, options)))
      return found.filter((container) => container !== undefined)
    },
    async listContainersPublishing(hostPort, options) {
      const call = { method: 'GET', path: '/containers/json', ...client.within(options) } as const
      const containers = await client.list<WireContainerSummary>(call)
      return containers.filter(({ Ports }) => Ports?.some((port) => port.PublicPort === hostPort)).map(readSummary)
    },
    async inspectContainer(id, options) {
      const call = { method: 'GET', path: path`/containers/${id}/json`, ...client.within(options) } as const
      return readDetails(await client.object<WireContainer>(call))
    },
    async createContainer(spec, options) {
      const created = await client.object<WireCreated>({
        method: 'POST',
        path: '/containers/create',
        query: { name: spec.name, platform: spec.platform },
        json: containerBody(spec, await client.spoken(options)),
        ...client.within(options, createAnswers),
        refine: (refusal) => explainCreate(refusal, spec.name, spec.image),
      })
      return created.Id
    },
    async startContainer(id, options) {
      await startContainer(client, id, options)
    },
    async stopContainer(id, graceMs, options) {
      await client.done({
        method: 'POST',
        path: path`/containers/${id}/stop`,
        query: { t: Math.ceil(graceMs / 1000) },
        ...client.within(options, 1, graceMs),
        isRepeatable: true,
      })
    },
    async renameContainer(id, name, options) {
      const call = {
        method: 'POST',
        path: path`/containers/${id}/rename`,
        query: { name },
        ...client.within(options),
      } as const
      await client.done({ ...call, refine: (refusal) => explainTakenName(refusal, name) })
    },
    removeContainer: (id, options) => removeContainer(client, id, client.within(options, removeAnswers)),
    async waitContainer(id, options) {
      const { StatusCode, Error: failed } = await client.object<WireWait>({
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

/** Undefined when it is gone since it was listed. */
async function inspectListed(client: Client, id: string, options?: CallOptions): Promise<ContainerSummary | undefined> {
  const call = { method: 'GET', path: path`/containers/${id}/json`, ...client.within(options) } as const
  const wire = await client.object<WireContainer>(call).catch((error: unknown) => {
    if (isFailure(error, 'NOT_FOUND')) return undefined
    throw error
  })
  return wire && readDetails(wire)
}

/** Docker answers 409, Podman 4.3 answers 500. */
function explainTakenName({ words }: Refusal, name: string): TestfleetError | undefined {
  if (!/name .*already in use/i.test(words)) return undefined
  return new TestfleetError('NAME_TAKEN', `there is a container named ${name} already`, { cause: words })
}

function explainCreate(refusal: Refusal, name: string, image: string): TestfleetError | undefined {
  const taken = explainTakenName(refusal, name)
  if (taken !== undefined) return taken
  const { status, words } = refusal
  if (
    status === 404 &&
    /no such image|image .*(not found|not known)|does not match the specified platform/is.test(words)
  ) {
    const why = /platform/i.test(words) ? words : `the engine does not have the image ${image}`
    return new TestfleetError('IMAGE_NOT_FOUND', why, { cause: words })
  }
  return undefined
}

/** How long between two looks whether a removal that someone else began is done. */
const removalPollMs = 50

async function removeContainer(client: Client, id: string, options: CallOptions): Promise<void> {
  const waitUntil = performance.now() + (options.timeoutMs ?? 0)
  const query = { force: true, v: true }
  for (;;) {
    const call = { method: 'DELETE', path: path`/containers/${id}`, query, ...options } as const
    if ((await client.done({ ...call, isFine: isGoneOrGoing })) !== 409) return
    if (performance.now() > waitUntil) {
      throw new TestfleetError('ENGINE_TIMEOUT', `another call's removal of the container ${id} did not end in time`)
    }
    await pause(removalPollMs, options.signal)
  }
}

function isGoneOrGoing({ status, words }: Refusal): boolean {
  return status === 404 || (status === 409 && /removal .*already in progress/i.test(words))
}
