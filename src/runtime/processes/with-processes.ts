import { existsSync, rmSync } from 'node:fs'
import type { CallOptions } from '../../engine/engine.ts'
import type { ContainerSummary } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Host } from '../../model/host.ts'
import type { Labels } from '../../model/labels.ts'
import { isProcessId } from '../../model/process-id.ts'
import type { Runtime, StopListener } from '../runtime.ts'
import { EventFile } from './event-file.ts'
import { followEvents, mergeChanges } from './follow-events.ts'
import type { ProcessRuntime } from './open-processes.ts'
import { hasProcessTable } from './process-table.ts'
import { eventsFile, serversFolder } from './server-folder.ts'

export type ProcessHost = Pick<Host, 'supervisorFile' | 'userId' | 'platform'>

/**
 * A runtime whose servers are containers, or processes of this machine: those that a command is given for. `folder` is
 * where processes have their folders.
 */
export function withProcesses(
  containers: Runtime,
  host: ProcessHost,
  listener: StopListener = {},
  folder = serversFolder(host.userId),
): Runtime {
  let loaded: Promise<ProcessRuntime> | undefined
  const open = (): Promise<ProcessRuntime> => {
    // Loaded on demand: most fleets have only containers.
    const { supervisorFile, userId } = host
    loaded ??= import('./open-processes.ts').then(({ openProcesses }) =>
      openProcesses({ supervisorFile, userId, folder, engine: containers.location.url }, listener),
    )
    return loaded
  }
  // A session's file is gone when the last of its events are read.
  const files = new Map<string, EventFile>()
  const eventsOf = (session: string): EventFile => {
    const file = files.get(session) ?? new EventFile(eventsFile(folder, session))
    files.set(session, file)
    return file
  }
  const list = async (labels: Labels, options?: CallOptions): Promise<readonly ContainerSummary[]> =>
    existsSync(folder) ? (await open()).listServers(labels, options) : []
  return {
    ...containers,
    ...refuseFiles(containers),
    ...chooseById(async (id) => (isProcessId(id) ? open() : containers)),
    async createServer(spec, options) {
      if (spec.process === undefined) return containers.createServer(spec, options)
      refuseSystem(host.platform)
      return (await open()).createServer(spec, options)
    },
    async confirmPorts(id, options) {
      if (isProcessId(id)) await (await open()).confirmPorts(id, options)
    },
    async readSocketTables(id) {
      return isProcessId(id) ? (await open()).readSocketTables(id) : undefined
    },
    async observe(labels, options) {
      const [found, processes] = await Promise.all([containers.observe(labels, options), list(labels, options)])
      return processes.length === 0 ? found : { ...found, servers: [...found.servers, ...processes] }
    },
    async listServers(labels, options) {
      return (await Promise.all([containers.listServers(labels, options), list(labels, options)])).flat()
    },
    async *followServers(session, range, { signal, ...options } = {}) {
      const over = new AbortController()
      const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
      const processes = followEvents(eventsOf(session), range, either)
      try {
        yield* mergeChanges(containers.followServers(session, range, { ...options, signal: either }), processes)
      } finally {
        over.abort()
      }
    },
    async forgetSession(session) {
      rmSync(eventsFile(folder, session), { force: true })
    },
    async findPublisher(port, options) {
      const container = await containers.findPublisher(port, options)
      return container ?? (await list({}, options)).find((one) => isPublisher(one, port))
    },
  }
}

function isPublisher({ state, published }: ContainerSummary, port: number): boolean {
  return state === 'running' && published.some((one) => one.port === port)
}

type ById =
  | ('startServer' | 'stopServer' | 'killServer' | 'pauseServer' | 'resumeServer' | 'removeServer' | 'waitServer')
  | ('inspectServer' | 'readMemory' | 'readLogs' | 'exec')

/** Methods of the runtime that a server belongs to. */
function chooseById(choose: (id: string) => Promise<Pick<Runtime, ById>>): Pick<Runtime, ById> {
  return {
    startServer: async (id, options) => (await choose(id)).startServer(id, options),
    stopServer: async (server, options) => (await choose(server.id)).stopServer(server, options),
    killServer: async (id, signal, options) => (await choose(id)).killServer(id, signal, options),
    pauseServer: async (id, options) => (await choose(id)).pauseServer(id, options),
    resumeServer: async (id, options) => (await choose(id)).resumeServer(id, options),
    removeServer: async (server, options) => (await choose(server.id)).removeServer(server, options),
    waitServer: async (id, options) => (await choose(id)).waitServer(id, options),
    inspectServer: async (id, options) => (await choose(id)).inspectServer(id, options),
    readMemory: async (id, options) => (await choose(id)).readMemory(id, options),
    async *readLogs(id, request, options) {
      yield* (await choose(id)).readLogs(id, request, options)
    },
    exec: async (id, request, options) => (await choose(id)).exec(id, request, options),
  }
}

type Files = 'copyServer' | 'deliver' | 'fetch' | 'readArchive' | 'statPath' | 'saveServer'

/** What only containers have: files of their own. */
function refuseFiles(containers: Runtime): Pick<Runtime, Files> {
  const refuse = (id: string, what: string): void => {
    if (!isProcessId(id)) return
    throw new TestfleetError('USAGE', `a server without a container ${what}`, {
      hint: 'Its files are those of this machine: use them there.',
    })
  }
  return {
    async copyServer(id, ...more) {
      refuse(id, 'cannot be copied')
      return containers.copyServer(id, ...more)
    },
    async deliver(id, ...more) {
      refuse(id, 'has no files')
      return containers.deliver(id, ...more)
    },
    async fetch(id, ...more) {
      refuse(id, 'has no files')
      return containers.fetch(id, ...more)
    },
    async *readArchive(id, ...more) {
      refuse(id, 'has no files')
      yield* containers.readArchive(id, ...more)
    },
    async statPath(id, ...more) {
      refuse(id, 'has no files')
      return containers.statPath(id, ...more)
    },
    async saveServer(id, ...more) {
      refuse(id, 'cannot be saved')
      return containers.saveServer(id, ...more)
    },
  }
}

function refuseSystem(platform: NodeJS.Platform): void {
  if (hasProcessTable(platform)) return
  throw new TestfleetError('USAGE', 'a server without a container needs Linux', {
    hint: 'Give it an `image`, or start it yourself and name its address with `external`.',
  })
}
