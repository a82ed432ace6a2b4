import { join } from 'node:path'
import type { CallOptions } from '../../engine/engine.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import { label } from '../../model/labels.ts'
import { graceOf, type Runtime, type StopListener } from '../runtime.ts'
import { ask, startSupervisor, watch } from './client.ts'
import { isWanted, notFound, toCard, toDetails, toProgram, toSummary } from './describe-process.ts'
import { readSocketTables } from './find-listener.ts'
import { readMemoryBytes } from './process-table.ts'
import { findTree } from './process-tree.ts'
import { KILLED, type ServerState, type SupervisorRequest } from './protocol.ts'
import { readLog } from './read-log.ts'
import { removeOld } from './remove-old.ts'
import { removeProcess } from './remove-process.ts'
import { eventsFile, listCards, makeServerFolder, readCard, readRun, type ServerCard } from './server-folder.ts'
import { prepareStop, stopProcess } from './stop-process.ts'

export interface ProcessPlace {
  /** Program of the supervisor. */
  readonly supervisorFile: string
  readonly userId: number | undefined
  /** URL of the engine that has the sessions' records. */
  readonly engine: string
  /** Folder with a folder for each server. */
  readonly folder: string
}

/** The part of a runtime that is about servers. */
export type ProcessRuntime = ProcessLife & ProcessLooks

type ProcessLife = Pick<
  Runtime,
  | ('createServer' | 'startServer' | 'stopServer' | 'killServer')
  | ('pauseServer' | 'resumeServer' | 'removeServer' | 'waitServer')
> &
  Required<Pick<Runtime, 'confirmPorts'>>

type ProcessLooks = Pick<Runtime, 'listServers' | 'inspectServer' | 'readMemory' | 'readLogs' | 'exec'> &
  Required<Pick<Runtime, 'readSocketTables'>>

/** Servers that are processes of this machine, each with a supervisor. */
export function openProcesses(place: ProcessPlace, listener: StopListener): ProcessRuntime {
  const looks = openLooks(place)
  return { ...looks, ...openLife(place, looks, listener) }
}

function openLife(place: ProcessPlace, looks: ProcessLooks, listener: StopListener): ProcessLife {
  const { folder: root, userId } = place
  const request = async (id: string, wanted: SupervisorRequest, options: Parameters<typeof ask>[2]): Promise<void> => {
    must(id, join(root, id), await ask(join(root, id), wanted, options))
  }
  return {
    async createServer(spec) {
      const { process } = spec
      if (process === undefined) throw new Error('a server without a container has a command')
      refuseTakenName(spec.name, listCards(root, userId))
      const card = toCard(spec, process.command, place.engine)
      const folder = makeServerFolder(root, card, userId)
      removeOld(root, userId)
      const events = eventsFile(root, spec.labels[label.session] ?? '')
      const order = { folder, card, program: toProgram(spec, process, card), eventsFile: events }
      try {
        await startSupervisor(order, place.supervisorFile)
      } catch (error) {
        const isGone = readCard(folder) === undefined
        await removeProcess(card.id, folder, userId)
        // Another call has removed the session meanwhile.
        throw isGone ? notFound(card.id) : error
      }
      return card.id
    },
    startServer: (id, options) => request(id, { do: 'start' }, options),
    confirmPorts: (id, options) => request(id, { do: 'confirmPorts' }, options),
    killServer: (id, signal, options) => request(id, { do: 'kill', signal }, options),
    pauseServer: (id, options) => request(id, { do: 'pause' }, options),
    resumeServer: (id, options) => request(id, { do: 'resume' }, options),
    stopServer: (server, options) => stopProcess(join(root, server.id), server, looks, listener, options),
    async removeServer(server, options) {
      const folder = join(root, server.id)
      if (readCard(folder) === undefined) return
      const isSilent = (await lookAt(folder, options)) === silent
      // A supervisor that hangs, or that was stopped by a signal, is removed as one that is gone.
      if (!isSilent && graceOf(server) > 0) await stopProcess(folder, server, looks, listener, options)
      else if (!isSilent) await prepareStop(server, looks, listener, options)
      const state = isSilent ? undefined : await ask(folder, { do: 'remove' }, options)
      if (state === undefined) await removeProcess(server.id, folder, userId)
    },
    async waitServer(id, options) {
      const state = await ask(join(root, id), { do: 'wait' }, { signal: options?.signal, timeoutMs: 0 })
      if (state === undefined && readCard(join(root, id)) === undefined) throw notFound(id)
      return state === undefined ? KILLED : (state.exitCode ?? 0)
    },
  }
}

function openLooks({ folder: root, userId, engine }: ProcessPlace): ProcessLooks {
  return {
    async listServers(labels, options) {
      const cards = listCards(root, userId).filter((card) => isWanted(card, labels, engine))
      return Promise.all(cards.map(async (card) => toSummary(card, await lookAt(join(root, card.id), options))))
    },
    async inspectServer(id, options) {
      const card = readCard(join(root, id))
      if (card === undefined) throw notFound(id)
      return toDetails(card, await ask(join(root, id), { do: 'describe' }, options))
    },
    async readMemory(id) {
      return findTree({ id, userId }).reduce((bytes, pid) => bytes + readMemoryBytes(pid), 0)
    },
    async readSocketTables(id) {
      return readSocketTables(findTree({ id, userId, root: readRun(join(root, id)) }))
    },
    async *readLogs(id, request, options) {
      const folder = join(root, id)
      if (readCard(folder) === undefined) throw notFound(id)
      yield* readLog(folder, request, () => watch(folder, options))
    },
    async exec(id, request, options = {}) {
      const folder = join(root, id)
      const { state, program } = must(id, folder, await ask(folder, { do: 'describe' }, options))
      if (program === undefined || state !== 'running') {
        throw new TestfleetError('ENGINE_REFUSED', `no command can run in a server that is ${state}`)
      }
      const { execProcess } = await import('./exec-process.ts')
      return execProcess({ id, folder, userId }, program, request, options)
    },
  }
}

function must(id: string, folder: string, state: ServerState | undefined): ServerState {
  if (state !== undefined) return state
  if (readCard(folder) === undefined) throw notFound(id)
  throw new TestfleetError('ENGINE_REFUSED', 'the supervisor of the server was killed, and its program with it')
}

function refuseTakenName(name: string, cards: readonly ServerCard[]): void {
  if (!cards.some((card) => card.name === name)) return
  throw new TestfleetError('NAME_TAKEN', `a server without a container named ${name} already exists`)
}

/** Time after which a supervisor counts as one that hangs. It answers in a moment, on a busy machine in seconds. */
const LOOK_MS = 10_000

/** The state of a server whose supervisor does not answer: its program may run. */
const silent: ServerState = { state: 'running', restarts: 0, isRestarting: false, startedAtMs: 0, endedAtMs: 0 }

/** Returns the state of a server; undefined when its supervisor is gone. */
async function lookAt(folder: string, options: CallOptions = {}): Promise<ServerState | undefined> {
  try {
    return await ask(folder, { do: 'state' }, { ...options, timeoutMs: LOOK_MS })
  } catch (error) {
    if (isFailure(error, 'ENGINE_TIMEOUT')) return silent
    throw error
  }
}
