import { access, readFile, rm, stat } from 'node:fs/promises'
import type { ContainerState } from '../../../model/container.ts'
import { TestfleetError } from '../../../model/failures.ts'
import { isRunning, type ProcessMark } from '../processes.ts'
import { readName, readRecord, undefinedIfGone } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { watchUntil } from '../watch.ts'
import { isFrozen } from './freezer.ts'

/** `run.json`: the last run of a container. Written when its process waits for the word to begin. */
export interface Run {
  /** Its first process. */
  readonly process: ProcessMark
  /** The program that keeps its log and writes its exit code. */
  readonly monitor: ProcessMark | undefined
  readonly startedAtMs: number
  /** How many times it was restarted by itself before this run. */
  readonly restarts: number
  /** How long it was waited before it was restarted, in milliseconds; undefined when it was not. */
  readonly pauseMs?: number | undefined
}

/** Where a container is between its creation and its removal. */
export interface Life {
  readonly state: ContainerState
  readonly run: Run | undefined
  /** Undefined while it runs, before it ran, and in the moment after its end before its code is known. */
  readonly exitCode: number | undefined
  readonly endedAtMs: number
  /** Whether it has ended and its monitor is about to start it again. */
  readonly isRestarting: boolean
  /** Whether its process is there and waits for the word to begin. */
  readonly isHeld: boolean
}

export function containerPath({ store }: Pick<Local, 'store'>, id: string, ...names: readonly string[]): string {
  return store.path('containers', id, ...names)
}

export function exitPath({ store }: Pick<Local, 'store'>, id: string): string {
  return store.path('exits', id)
}

/** Folder in which the OCI runtime keeps what it knows of containers. */
export function runtimeRoot({ store }: Pick<Local, 'store'>): string {
  return store.path('run')
}

/** The process of a container waits until somebody reads this. */
export function fifoPath(local: Pick<Local, 'store'>, id: string): string {
  return local.store.path('run', id, 'exec.fifo')
}

const ID = /^[0-9a-f]{64}$/
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

/** Returns a container by its id or name; undefined when there is none. */
export async function findContainer(local: Local, idOrName: string): Promise<ContainerRecord | undefined> {
  const read = (id: string) => readRecord<ContainerRecord>(containerPath(local, id, 'container.json'))
  if (ID.test(idOrName)) return read(idOrName)
  if (!NAME.test(idOrName)) return undefined
  const id = await readName(local.store.path('names', 'containers'), idOrName)
  return id === undefined ? undefined : read(id)
}

/** Returns a container by its id or name. NOT_FOUND. */
export async function needContainer(local: Local, idOrName: string): Promise<ContainerRecord> {
  const record = await findContainer(local, idOrName)
  if (record === undefined) throw noContainer(idOrName)
  return record
}

export function noContainer(idOrName: string): TestfleetError {
  return new TestfleetError('NOT_FOUND', `there is no container ${idOrName}`)
}

export function notRunning({ name }: ContainerRecord): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `the container ${name} does not run`)
}

const unknownCode = 137

/** Reads the life of a container from its files and processes. */
export async function readLife(local: Local, { id, spec }: ContainerRecord): Promise<Life> {
  const run = await readRecord<Run>(containerPath(local, id, 'run.json'))
  if (run === undefined) return { ...ended, state: 'created', run }
  if (await isRunning(run.process)) {
    const [isHeld, isPaused] = await Promise.all([isWaiting(local, id, run), isFrozen(id)])
    // It does not run before it has begun.
    return { ...ended, state: isHeld ? 'created' : isPaused ? 'paused' : 'running', run, isHeld }
  }
  const exit = await readExit(local, id)
  const hasMonitor = run.monitor !== undefined && (await isRunning(run.monitor))
  if (exit === undefined && hasMonitor) return { ...ended, state: 'exited', run }
  const exitCode = exit?.code ?? unknownCode
  const isRestarting =
    hasMonitor && exitCode !== 0 && run.restarts < (spec.restarts ?? 0) && !(await isThere(stoppedPath(local, id)))
  const endedAtMs = exit?.atMs ?? run.startedAtMs
  return { ...ended, state: isRestarting ? 'running' : 'exited', run, exitCode, endedAtMs, isRestarting }
}

/**
 * Whether the process of a container waits for the word to begin: it is then still the runtime's own program. The pipe alone
 * does not tell, because a call can die after it has given the word and before it has removed the pipe.
 */
export async function isWaiting(local: Local, id: string, { process }: Run): Promise<boolean> {
  if (!(await isThere(fifoPath(local, id)))) return false
  const words = await readFile(`/proc/${process.pid}/cmdline`, 'latin1').catch(() => '')
  return /^(?:\S*\/)?(?:runc\0init|crun)\0/.test(words) || words === ''
}

const ended = { exitCode: undefined, endedAtMs: 0, isRestarting: false, isHeld: false } as const

/** Reads the life of a container; waits for the exit code when it has ended just now. */
export async function readSettledLife(local: Local, record: ContainerRecord, signal?: AbortSignal): Promise<Life> {
  const life = await readLife(local, record)
  if (!isUnsettled(life)) return life
  return watchUntil(local.store.path('exits'), record.id, async () => settled(await readLife(local, record)), {
    signal,
  })
}

/** Its first process has ended, and its monitor has not written its exit code yet. */
function isUnsettled({ state, exitCode }: Life): boolean {
  return state === 'exited' && exitCode === undefined
}

function settled(life: Life): Life | undefined {
  return isUnsettled(life) ? undefined : life
}

/** There when someone has stopped the container: it is then not restarted. */
export function stoppedPath(local: Local, id: string): string {
  return containerPath(local, id, 'stopped')
}

/** Reads what the monitor wrote at the end of a container: its exit code. */
export async function readExit(local: Local, id: string): Promise<{ code: number; atMs: number } | undefined> {
  const path = exitPath(local, id)
  const [text, stats] = await Promise.all([readFile(path, 'utf8'), stat(path)].map((it) => it.catch(undefinedIfGone)))
  const code = typeof text === 'string' ? Number.parseInt(text, 10) : Number.NaN
  if (Number.isNaN(code) || typeof stats !== 'object') return undefined
  return { code, atMs: stats.mtimeMs }
}

export function removeExit(local: Local, id: string): Promise<void> {
  return rm(exitPath(local, id), { force: true })
}

export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
