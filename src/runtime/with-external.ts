import type { ContainerDetails, ContainerSummary, PublishedPort } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import { label } from '../model/labels.ts'
import { onAbort } from '../model/on-abort.ts'
import type { ExternalRecord } from '../model/session.ts'
import type { Runtime } from './runtime.ts'

/**
 * External servers: they run already, and nothing here starts or ends one. What every server needs succeeds without doing
 * anything; what needs a container is refused. The engine never hears of them.
 */
export function withExternal(runtime: Runtime): Runtime {
  const nothing = async (): Promise<void> => {}
  /** For methods whose first argument is an id. */
  const byId =
    <Rest extends readonly unknown[], Result>(
      method: (id: string, ...rest: Rest) => Result,
      instead: (id: string, ...rest: Rest) => Result,
    ) =>
    (id: string, ...rest: Rest): Result =>
      isExternal(id) ? instead(id, ...rest) : method(id, ...rest)
  const refuse = (what: string) => async (id: string) => {
    throw refusal(id, what)
  }
  return {
    ...runtime,
    createServer: async (spec, options) =>
      spec.external === undefined
        ? runtime.createServer(spec, options)
        : externalId(spec.labels[label.server] ?? '', spec.labels[label.change] ?? '', spec.external),
    startServer: byId(runtime.startServer, nothing),
    stopServer: (server, options) => (isExternal(server.id) ? nothing() : runtime.stopServer(server, options)),
    removeServer: (server, options) => (isExternal(server.id) ? nothing() : runtime.removeServer(server, options)),
    resumeServer: byId(runtime.resumeServer, nothing),
    killServer: byId(runtime.killServer, refuse('gets no signal')),
    pauseServer: byId(runtime.pauseServer, refuse('cannot be paused')),
    copyServer: byId(runtime.copyServer, refuse('cannot be copied')),
    saveServer: byId(runtime.saveServer, refuse('cannot be saved')),
    deliver: byId(runtime.deliver, refuse('takes no files')),
    fetch: byId(runtime.fetch, refuse('gives no files')),
    statPath: byId(runtime.statPath, refuse('gives no files')),
    exec: byId(runtime.exec, refuse('runs no commands')),
    // biome-ignore lint/correctness/useYield: it fails before its first part
    readArchive: byId(runtime.readArchive, async function* (id) {
      throw refusal(id, 'gives no files')
    }),
    readLogs: byId(runtime.readLogs, async function* () {}),
    readMemory: byId(runtime.readMemory, async () => undefined),
    inspectServer: byId(runtime.inspectServer, async (id) => describeDetails(id)),
    // It is never known to end.
    waitServer: byId(runtime.waitServer, (_, options) => untilAborted(options?.signal)),
    reach: (server, ports) => {
      const addresses = runtime.reach(server, ports)
      if (server.networks[0]?.networkId !== NETWORK) return addresses
      const { published } = addresses
      return {
        ...addresses,
        isRemote: false,
        direct: (port) => published(port),
        ip: '',
        reachableIp: undefined,
      }
    },
  }
}

const PREFIX = 'external-'
/** Takes the place of the id of a network, by which `reach` knows the server. */
const NETWORK = 'external'

export function isExternal(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** The id has all that there is to know of it, so that no state has to be kept. */
export function externalId(server: string, change: string, addresses: readonly PublishedPort[]): string {
  const ports = addresses.map(({ container, protocol, address, port }) =>
    [container, protocol, address, port].join('|'),
  )
  return `${PREFIX}${[`${server}-${change}`, ...ports].join('|')}`
}

/** Summary of an external server, as an engine gives one of a container. */
export function describeExternal(
  id: string,
  { url, digest }: Pick<ExternalRecord, 'url' | 'digest'>,
): ContainerSummary {
  const { name, server, change, published } = readId(id)
  return {
    id,
    name,
    imageId: '',
    image: url,
    state: 'running',
    labels: { [label.server]: server, [label.change]: change, [label.digest]: digest },
    createdAtMs: 0,
    networks: [{ name: '', networkId: NETWORK, ip: '', gateway: '' }],
    published,
  }
}

function describeDetails(id: string): ContainerDetails {
  return {
    ...describeExternal(id, { url: '', digest: '' }),
    user: '',
    environment: {},
    mounts: [],
    exitCode: undefined,
    isOutOfMemory: false,
    memoryBytes: undefined,
    restarts: 0,
    isRestarting: false,
    startedAtMs: 0,
    endedAtMs: 0,
    error: '',
    health: 'none',
    raw: {},
  }
}

function readId(id: string) {
  const [name = '', ...parts] = id.slice(PREFIX.length).split('|')
  const at = name.lastIndexOf('-')
  const published = Array.from({ length: Math.floor(parts.length / 4) }, (_, index): PublishedPort => {
    const [container, protocol, address = '', port] = parts.slice(4 * index)
    return {
      container: Number(container),
      protocol: protocol as PublishedPort['protocol'],
      address,
      port: Number(port),
    }
  })
  return { name, server: name.slice(0, at), change: name.slice(at + 1), published }
}

function refusal(id: string, what: string): TestfleetError {
  const { server } = readId(id)
  return new TestfleetError('ENGINE_REFUSED', `${server} ${what}: it is an external server`, { server })
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => onAbort(signal, () => reject(signal?.reason)))
}
