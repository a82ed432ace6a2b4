import type { ContainerSummary } from '../../model/container.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { CallOptions, Engine, PathStat } from '../engine.ts'
import { type Client, labelFilter, type Maybe, path } from './client.ts'
import { type HttpResponse, readAll } from './connection.ts'
import {
  type ContainerJson,
  type ContainerSummaryJson,
  containerBody,
  readDetails,
  readSummary,
} from './container-json.ts'
import { pause } from './deadline.ts'
import { isBeingRemoved, isMissing, type Refusal } from './dialect.ts'
import { undefinedIfMissing } from './errors.ts'
import { explainCreate, explainStart, explainTakenName, explainUnpack } from './explain-container.ts'

interface WaitJson {
  readonly StatusCode?: Maybe<number>
  readonly Error?: Maybe<{ readonly Message?: Maybe<string> }>
}

interface StatsJson {
  readonly memory_stats?: Maybe<{
    readonly usage?: Maybe<number>
    readonly stats?: Maybe<{ readonly inactive_file?: Maybe<number>; readonly total_inactive_file?: Maybe<number> }>
  }>
}

export function containerVerbs(client: Client) {
  return {
    async listContainers(labels, options) {
      const query = { all: true, filters: labelFilter(labels) }
      const listed = await client.readList<ContainerSummaryJson>('GET /containers/json', options, { query })
      const { listsNetworks } = await client.dialect(options)
      if (listsNetworks) return listed.map(readSummary)
      const found = await Promise.all(listed.map(({ Id }) => inspectListed(client, Id, options)))
      return found.filter((container) => container !== undefined)
    },
    async listContainersPublishing(hostPort, options) {
      const containers = await client.readList<ContainerSummaryJson>('GET /containers/json', options)
      return containers.filter(({ Ports }) => Ports?.some((port) => port.PublicPort === hostPort)).map(readSummary)
    },
    inspectContainer: async (id, options) => readDetails(await inspect(client, id, options)),
    createsBeforeNetwork: async (options) => (await client.dialect(options)).createsBeforeNetwork,
    async createContainer(spec, options) {
      const created = await client.readObject<{ readonly Id: string }>('POST /containers/create', options, {
        query: { name: spec.name, platform: spec.platform },
        json: containerBody(spec, await client.dialect(options)),
        deadline: 'long',
        explainRefusal: (refusal) => explainCreate(refusal, spec.name, spec.image),
      })
      return created.Id
    },
    startContainer: (id, options) => startContainer(client, id, options),
    async stopContainer(id, graceMs, options) {
      const query = { t: Math.ceil(graceMs / 1000) }
      await client.send(path`POST /containers/${id}/stop`, options, { query, moreMs: graceMs, isRepeatable: true })
    },
    async killContainer(id, signal, options) {
      await client.send(path`POST /containers/${id}/kill`, options, { query: { signal } })
    },
    pauseContainer: (id, options) => setPaused(client, id, true, options),
    unpauseContainer: (id, options) => setPaused(client, id, false, options),
    async readMemory(id, options) {
      // Without one-shot, Docker waits a second for a second sample of the CPU.
      const query = { stream: false, 'one-shot': true }
      const stats = await client.readObject<StatsJson>(path`GET /containers/${id}/stats`, options, { query })
      const { usage, stats: parts } = stats.memory_stats ?? {}
      if (typeof usage !== 'number') return undefined
      // As `docker stats` counts: cgroup v2 and v1 have different names.
      return Math.max(0, usage - (parts?.inactive_file ?? parts?.total_inactive_file ?? 0))
    },
    async renameContainer(id, name, options) {
      const explainRefusal = (refusal: Refusal) => explainTakenName(refusal, name)
      await client.send(path`POST /containers/${id}/rename`, options, { query: { name }, explainRefusal })
    },
    removeContainer: (id, options) => removeContainer(client, id, options),
    async waitContainer(id, options) {
      const query = { condition: 'not-running' }
      const request = { query, isRepeatable: true, deadline: 'none' } as const
      const answer = await client.readObject<WaitJson>(path`POST /containers/${id}/wait`, options, request)
      if (answer.Error?.Message) throw new TestfleetError('ENGINE_REFUSED', answer.Error.Message)
      return answer.StatusCode ?? 0
    },
    unpacksIntoMounts: async (options) => (await client.dialect(options)).unpacksIntoMounts,
    async putArchive(id, folder, archive, options) {
      const body = { type: 'application/x-tar', content: archive }
      const isWhole = archive instanceof Uint8Array
      const deadline = isWhole ? 'long' : 'none'
      const manner = { isRepeatable: isWhole, deadline, explainRefusal: explainUnpack } as const
      await client.send(path`PUT /containers/${id}/archive`, options, { query: { path: folder }, body, ...manner })
    },
    async *readArchive(id, from, options) {
      const request = { query: { path: from }, deadline: 'long' } as const
      const { body } = await client.openStream(path`GET /containers/${id}/archive`, options, request)
      yield* body
    },
    getArchive(id, from, maxBytes, options) {
      const request = { query: { path: from }, deadline: 'long' } as const
      const read = ({ body }: HttpResponse) => readAll(body, maxBytes, from)
      return client.sendAndRead(path`GET /containers/${id}/archive`, options, request, read)
    },
    statPath: (id, of, options) => statPath(client, id, of, options),
  } satisfies Partial<Engine>
}

interface PathStatJson {
  /** Go's `os.FileMode`. */
  readonly mode?: Maybe<number>
  readonly linkTarget?: Maybe<string>
}

const goFolder = 0x8000_0000
const goLink = 0x0800_0000

async function statPath(client: Client, id: string, of: string, options?: CallOptions): Promise<PathStat | undefined> {
  const read = async ({ status, headers, body }: HttpResponse): Promise<PathStat | undefined> => {
    await readAll(body, 0, of)
    const text = headers['x-docker-container-path-stat']
    if (status >= 400 || typeof text !== 'string') return undefined
    const { mode, linkTarget } = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as PathStatJson
    // Bitwise operators use signed 32-bit numbers.
    const has = (bit: number): boolean => ((mode ?? 0) & bit) !== 0
    if (has(goLink)) return { kind: 'link', target: linkTarget || '/' }
    return { kind: has(goFolder) ? 'folder' : 'file' }
  }
  // The answer to HEAD has no message. A path below a file gives status 500 on Docker 20.10.
  const acceptsRefusal = ({ status }: Refusal): boolean => status === 404 || (status === 500 && of !== '/')
  const request = { query: { path: of }, acceptsRefusal }
  return client.sendAndRead(path`HEAD /containers/${id}/archive`, options, request, read)
}

/** Engines refuse a repeated pause, each with another message: the container's state decides. */
async function setPaused(client: Client, id: string, isPaused: boolean, options?: CallOptions): Promise<void> {
  const route = isPaused ? path`POST /containers/${id}/pause` : path`POST /containers/${id}/unpause`
  try {
    await client.send(route, options, {})
  } catch (error) {
    if (!isFailure(error, 'ENGINE_REFUSED') && !isFailure(error, 'ENGINE_LOST')) throw error
    const { state } = readDetails(await inspect(client, id, options))
    if (state !== (isPaused ? 'paused' : 'running')) throw error
  }
}

function inspect(client: Client, id: string, options: CallOptions | undefined): Promise<ContainerJson> {
  return client.readObject<ContainerJson>(path`GET /containers/${id}/json`, options)
}

/** Inspects a container; undefined when it was removed after it was listed. */
async function inspectListed(client: Client, id: string, options?: CallOptions): Promise<ContainerSummary | undefined> {
  const json = await inspect(client, id, options).catch(undefinedIfMissing)
  return json && readDetails(json)
}

/** Pause between two checks whether another call's removal is done. */
const removalPollMs = 50

async function removeContainer(client: Client, id: string, options: CallOptions = {}): Promise<void> {
  const waitUntil = performance.now() + (options.timeoutMs ?? client.longDeadlineMs)
  const request = { query: { force: true, v: true }, deadline: 'long', acceptsRefusal: isGoneOrGoing } as const
  while ((await client.send(path`DELETE /containers/${id}`, options, request)) === 409) {
    if (performance.now() > waitUntil) {
      throw new TestfleetError('ENGINE_TIMEOUT', `another call's removal of the container ${id} did not end in time`)
    }
    await pause(removalPollMs, options.signal)
  }
}

function isGoneOrGoing(refusal: Refusal): boolean {
  return isMissing(refusal) || isBeingRemoved(refusal)
}

const longestStartPauseMs = 800

/**
 * Starts a container. If the connection breaks, looks at the container: a running one was started; one that is still in
 * its created state is started again; one that has ended may have done its work, so the failure is thrown.
 */
async function startContainer(client: Client, id: string, options: CallOptions | undefined): Promise<void> {
  const request = { deadline: 'long', explainRefusal: explainStart } as const
  for (let pauseMs = 50; ; pauseMs *= 4) {
    try {
      await client.send(path`POST /containers/${id}/start`, options, request)
      return
    } catch (error) {
      if (!isFailure(error, 'ENGINE_LOST')) throw error
      await pause(pauseMs, options?.signal)
      const state = (await inspect(client, id, options)).State?.Status
      if (state === 'running') return
      if (state !== 'created' || pauseMs >= longestStartPauseMs) throw error
    }
  }
}
