import { writeFile } from 'node:fs/promises'
import { readSignal } from '../../../formats/signal.ts'
import type { ContainerSpec } from '../../../model/container.ts'
import { isFailure, TestfleetError } from '../../../model/failures.ts'
import type { CallOptions } from '../../engine.ts'
import { findImage } from '../images/find-image.ts'
import { leave } from '../networks/attach.ts'
import { isRunning } from '../processes.ts'
import { sendSignal, signalNumber } from '../send-signal.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { watchUntil } from '../watch.ts'
import { noteEnd, noteEvent, noteSignal } from './event-log.ts'
import { setFrozen } from './freezer.ts'
import { type Life, needContainer, noContainer, notRunning, readLife, stoppedPath } from './life.ts'
import { withLock } from './lock.ts'

const USUAL_SIGNAL = 'SIGTERM'
const KILL_MS = 20_000

/** Sends the stop signal, and SIGKILL after `graceMs`. No error if the container does not run. */
export async function stopContainer(
  local: Local,
  idOrName: string,
  graceMs: number,
  { signal }: CallOptions = {},
): Promise<void> {
  signal?.throwIfAborted()
  const record = await needContainer(local, idOrName)
  const life = await readLife(local, record)
  if (!isUp(life)) return
  await markStopped(local, record)
  // The call that restarts it has begun to, or sees that it must not.
  if (life.isRestarting) await withLock(local, record.id, { signal }, async () => {})
  if (!isUp(await readLife(local, record))) return
  // A grace of zero leaves no time for the signal, as with Docker.
  if (graceMs > 0) {
    await send(local, record, await stopSignalOf(local, record))
    if (await ends(local, record, graceMs, signal)) return
  }
  if (!(await send(local, record, 'SIGKILL'))) return
  if (await ends(local, record, KILL_MS, signal)) return
  throw new TestfleetError(
    'ENGINE_TIMEOUT',
    `the container ${record.name} did not end within ${KILL_MS / 1000} s of SIGKILL`,
  )
}

export async function killContainer(
  local: Local,
  idOrName: string,
  text: string,
  { signal }: CallOptions = {},
): Promise<void> {
  signal?.throwIfAborted()
  const record = await needContainer(local, idOrName)
  const name = readSignal(text)
  if (name === undefined || signalNumber(name) === 0)
    throw new TestfleetError('ENGINE_REFUSED', `there is no signal ${JSON.stringify(text)}`)
  const { state } = await readLife(local, record)
  if (state !== 'running' && state !== 'paused') throw notRunning(record)
  if (name === 'SIGKILL' || name === (await stopSignalOf(local, record))) await markStopped(local, record)
  if (!(await send(local, record, name))) throw notRunning(record)
}

export async function setPaused(
  local: Local,
  idOrName: string,
  wanted: boolean,
  { signal }: CallOptions = {},
): Promise<void> {
  signal?.throwIfAborted()
  const record = await needContainer(local, idOrName)
  const { state, isRestarting } = await readLife(local, record)
  if ((state !== 'running' && state !== 'paused') || isRestarting) throw notRunning(record)
  if ((state === 'paused') === wanted) return
  await setFrozen(record.id, wanted, signal)
  await noteEvent(local, record, { kind: wanted ? 'paused' : 'resumed' })
}

/** Resolves with the exit code once the container does not run; at once with that of its last run. */
export async function waitContainer(local: Local, idOrName: string, { signal }: CallOptions = {}): Promise<number> {
  const first = await needContainer(local, idOrName)
  const look = async (): Promise<number | undefined> => {
    const record = await needContainer(local, first.id)
    const life = await readLife(local, record)
    // As with Docker, one that never ran has the code 0.
    if (life.state === 'created' && life.run === undefined) return 0
    if (life.state !== 'exited' || life.exitCode === undefined) return undefined
    await noteEnd(local, record, life.run)
    return life.exitCode
  }
  return watchUntil(local.store.path('exits'), first.id, look, { signal })
}

const isUp = ({ state }: Life): boolean => state === 'running' || state === 'paused'

/** Whether the container ends in time, or is removed meanwhile. */
async function ends(local: Local, { id }: ContainerRecord, timeoutMs: number, signal: AbortSignal | undefined) {
  const look = async (): Promise<true | undefined> => {
    const record = await needContainer(local, id).catch(undefinedIfMissing)
    if (record === undefined) return true
    const life = await readLife(local, record)
    if (isUp(life) || (life.state === 'exited' && life.exitCode === undefined)) return undefined
    await Promise.all([noteEnd(local, record, life.run), leave(local, id)])
    return true
  }
  try {
    return await watchUntil(local.store.path('exits'), id, look, { signal, timeoutMs })
  } catch (error) {
    if (isFailure(error, 'ENGINE_TIMEOUT') && !signal?.aborted) return false
    throw error
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isFailure(error, 'NOT_FOUND')) throw error
}

/** Sends a signal to the first process; false when it has ended. Frozen processes go on, so that they can obey. */
async function send(local: Local, record: ContainerRecord, name: string): Promise<boolean> {
  const { run, state } = await readLife(local, record)
  if (run === undefined || !(await isRunning(run.process))) return false
  await noteSignal(local, record, name)
  const isSent = await sendSignal(run.process, name)
  if (isSent && state === 'paused') await setFrozen(record.id, false).catch(() => {})
  return isSent
}

async function markStopped(local: Local, { id }: ContainerRecord): Promise<void> {
  await writeFile(stoppedPath(local, id), '', { mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? noContainer(id) : error
  })
}

async function stopSignalOf(
  local: Local,
  { imageId, spec }: { imageId: string; spec: ContainerSpec },
): Promise<string> {
  const wanted = spec.stopSignal ?? (await findImage(local, imageId))?.config.stopSignal ?? USUAL_SIGNAL
  const name = readSignal(wanted)
  return name === undefined || signalNumber(name) === 0 ? USUAL_SIGNAL : name
}
