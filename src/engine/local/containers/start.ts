import { constants } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestfleetError } from '../../../model/failures.ts'
import type { CallOptions } from '../../engine.ts'
import { findUser } from '../files/users.ts'
import { findProgram } from '../find-program.ts'
import { findImage } from '../images/find-image.ts'
import { mountRoot, unmountRoot } from '../images/mount-root.ts'
import { type Attached, attach, detach } from '../networks/attach.ts'
import { INIT_PATH, ociConfig } from '../oci/config.ts'
import { bindMount, type OciMount, tmpfsMount } from '../oci/mounts.ts'
import { variablesOf, wordsOf, workingFolderOf } from '../oci/words.ts'
import { isRunning, markProcess } from '../processes.ts'
import { callProgram } from '../programs.ts'
import { writeRecord } from '../store.ts'
import type { ContainerRecord, ImageRecord, Local } from '../types.ts'
import { clearRun } from './clear-run.ts'
import { noteEvent } from './event-log.ts'
import { explainStart } from './explain-start.ts'
import {
  containerPath,
  fifoPath,
  isThere,
  isWaiting,
  needContainer,
  type Run,
  readLife,
  runtimeRoot,
  stoppedPath,
} from './life.ts'
import { withLock } from './lock.ts'
import { monitorFiles, readPid, startMonitor } from './monitor.ts'
import { restarterWords } from './restarter-file.ts'
import { mountVolumes } from './volumes.ts'

/** Starts a container. No error if it runs. PORT_TAKEN, COMMAND_NOT_FOUND, START_FAILED: nothing is left mounted then. */
export async function startContainer(local: Local, idOrName: string, options: CallOptions = {}): Promise<void> {
  const { id } = await needContainer(local, idOrName)
  await withLock(local, id, options, () => startLocked(local, id, options))
}

/** How a container came to be started. */
type Origin = Pick<Run, 'restarts' | 'pauseMs'>

/** Starts a container whose lock is held. */
export async function startLocked(
  local: Local,
  id: string,
  options: CallOptions,
  origin: Origin = { restarts: 0 },
): Promise<void> {
  const record = await needContainer(local, id)
  const life = await readLife(local, record)
  if (life.state === 'paused')
    throw new TestfleetError('ENGINE_REFUSED', `the container ${record.name} is paused`, {
      hint: 'Resume it instead of starting it.',
    })
  if (life.state === 'running' && !life.isRestarting) return
  // A call that has died had come as far as this: the rest is left to do.
  if (life.isHeld && life.run !== undefined) return begin(local, record, life.run)
  await clearRun(local, record)
  // It stays mounted after the end of a run, for those who look at its files.
  await unmountRoot(local, containerPath(local, id))
  await Promise.all([failurePath(local, id), stoppedPath(local, id)].map((path) => rm(path, { force: true })))
  try {
    await run(local, record, origin, options)
  } catch (error) {
    await undo(local, record)
    if (options.signal?.aborted) throw options.signal.reason
    const why = explainStart(error)
    if (why instanceof TestfleetError) await writeRecord(failurePath(local, id), { error: why.message })
    throw why
  }
}

/** Why the last start failed, until the next one. */
export function failurePath(local: Local, id: string): string {
  return containerPath(local, id, 'failure.json')
}

async function run(local: Local, record: ContainerRecord, origin: Origin, options: CallOptions): Promise<void> {
  const { id, imageId, spec } = record
  const folder = containerPath(local, id)
  const image = await findImage(local, imageId)
  if (image === undefined) throw new TestfleetError('START_FAILED', `the image ${spec.image} of the container is gone`)
  const [mounting, attaching] = await Promise.allSettled([
    mountRoot(local, image.layers, folder, { isVolatile: true, signal: options.signal }),
    attach(local, record, options),
  ])
  const attached = resultOf(attaching)
  try {
    const config = await writeConfig(local, record, image, resultOf(mounting), attached)
    await writeFile(`${folder}/config.json`, config, { mode: 0o600 })
    const { descriptors } = attached
    const restarter = spec.restarts ? await restarterWords(local.store.folder, id) : undefined
    const onExit = restarter ?? attached.onExit
    const pid = await startMonitor(local, record, { descriptors, onExit, signal: options.signal })
    const [process, monitorPid] = await Promise.all([markProcess(pid), readPid(local, id, 'monitor')])
    if (process === undefined) throw new Error('its first process has ended at once')
    const monitor = monitorPid === undefined ? undefined : await markProcess(monitorPid)
    const made: Run = { process, monitor, startedAtMs: Date.now(), ...origin }
    await writeRecord(`${folder}/run.json`, made)
    await begin(local, record, made)
  } finally {
    attached.release()
  }
}

function resultOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'fulfilled') return result.value
  throw result.reason
}

async function writeConfig(
  local: Local,
  record: ContainerRecord,
  { config }: ImageRecord,
  root: string,
  { attachment }: Attached,
): Promise<string> {
  const { id, spec } = record
  const [user, volumes, files, has32Bit] = await Promise.all([
    findUser(root, spec.user ?? config.user ?? ''),
    mountVolumes(local, record, root),
    ownFiles(local, record),
    findLoader(root),
  ])
  const taken = new Set([...spec.mounts, ...spec.tmpfs].map(({ to }) => to))
  const mounts = [...files.filter(({ destination }) => !taken.has(destination)), ...volumes]
  return ociConfig({
    ...{ id, spec, user, root, has32Bit, words: wordsOf(spec, config) },
    environment: { HOME: user.home, ...variablesOf(spec, config) },
    workingFolder: workingFolderOf(spec, config),
    mounts: [...mounts, ...spec.tmpfs.map(tmpfsMount)],
    network: attachment.namespace,
  })
}

/** Libraries without which 32-bit programs do not run on a 64-bit machine. */
const LOADERS = ['lib/ld-linux.so.2', 'lib/ld-musl-i386.so.1', 'lib/ld-linux-armhf.so.3', 'lib/ld-musl-armhf.so.1']

async function findLoader(root: string): Promise<boolean> {
  const found = await Promise.all(LOADERS.map((path) => isThere(`${root}/${path}`)))
  return found.includes(true)
}

/** Files that the container has of its own instead of those of its image. */
async function ownFiles(local: Local, { id, spec }: ContainerRecord): Promise<readonly OciMount[]> {
  const at = (name: string): string => containerPath(local, id, name)
  const file = (name: string): OciMount => bindMount(at(name), `/etc/${name}`, true)
  const [init] = await Promise.all([
    spec.init ? findInit() : undefined,
    writeFile(at('hostname'), `${spec.hostname}\n`, { mode: 0o644 }),
  ])
  const mounts = ['hostname', 'hosts', 'resolv.conf'].map(file)
  return init === undefined ? mounts : [...mounts, bindMount(init, INIT_PATH, false)]
}

/** Only a program without libraries works in every image. */
async function findInit(): Promise<string> {
  const path =
    (await findProgram('tini-static')) ?? (await findProgram('docker-init')) ?? (await findProgram('catatonit'))
  if (path !== undefined) return path
  throw new TestfleetError('START_FAILED', 'the container could not be started: tini-static is not installed', {
    hint: 'Install the package tini.',
  })
}

/** Gives a made container the word to begin, and writes it down. */
async function begin(local: Local, record: ContainerRecord, run: Run): Promise<void> {
  const { id } = record
  if ((await local.runtime()) === 'runc') await readWord(local, id, run)
  else await callProgram(local.machine, 'crun', { arguments: ['--root', runtimeRoot(local), 'start', id] })
  await rm(containerPath(local, id, monitorFiles.starting), { force: true })
  await noteEvent(local, record, { kind: 'started' })
}

const BEGIN_MS = 20_000

/** Does what `runc start` does: it reads the pipe into which the container's process writes before it goes on. */
async function readWord(local: Local, id: string, run: Run): Promise<void> {
  const { process } = run
  const path = fifoPath(local, id)
  const untilMs = Date.now() + BEGIN_MS
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
      // Asked first: a short program can end between the two, and its word is then there to read.
      const [runs, waits] = await Promise.all([isRunning(process), isWaiting(local, id, run)])
      if ((await readSome(file)) > 0) break
      // A call that has died had given it already.
      if (runs && !waits) break
      if (!runs) throw new Error('its first process has ended before it began')
      if (Date.now() > untilMs) throw new TestfleetError('ENGINE_TIMEOUT', 'the container did not begin in time')
      await sleep(pauseMs)
    }
  } finally {
    await file.close()
  }
  await rm(path, { force: true })
}

/** Nothing is there while the other side has not opened it, or has written nothing. */
async function readSome(file: Awaited<ReturnType<typeof open>>): Promise<number> {
  try {
    return (await file.read(Buffer.alloc(16), 0, 16, null)).bytesRead
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}

/** Removes what a failed start has made. */
async function undo(local: Local, record: ContainerRecord): Promise<void> {
  const { id } = record
  const results = [await settle(clearRun(local, record))]
  results.push(await settle(unmountRoot(local, containerPath(local, id))), await settle(detach(local, id)))
  if (!(await isThere(fifoPath(local, id)))) await rm(containerPath(local, id, 'run.json'), { force: true })
}

/** The failure of the start itself counts, not that of the clean-up, which the removal repeats. */
function settle(work: Promise<void>): Promise<void> {
  return work.catch(() => {})
}
