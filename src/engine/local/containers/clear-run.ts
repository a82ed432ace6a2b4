import { readFile, rm } from 'node:fs/promises'
import { findCgroups, removeCgroups } from '../oci/cgroups.ts'
import { isRunning, markProcess, type ProcessMark } from '../processes.ts'
import { sendSignal } from '../send-signal.ts'
import { readRecord } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { watchUntil } from '../watch.ts'
import { noteEnd, noteSignal } from './event-log.ts'
import { setFrozen } from './freezer.ts'
import { containerPath, exitPath, isThere, type Run, runtimeRoot } from './life.ts'
import { monitorFiles, readPid } from './monitor.ts'

/** Time in which a monitor that was just started writes down its process id, and in which it makes the container. */
const [PID_MS, CREATE_MS] = [2000, 20_000]

/** Time in which processes that were killed end: one can be in a call of the kernel. */
const KILL_MS = 20_000

/**
 * Kills what runs in a container, and removes what its run left outside of its folder, whatever step a call that has died
 * had come to. Its log and its own files stay. Needs the container's lock.
 */
export async function clearRun(local: Local, record: ContainerRecord): Promise<void> {
  const { id } = record
  const run = await readRecord<Run>(containerPath(local, id, 'run.json'))
  const isHalf = await isThere(containerPath(local, id, monitorFiles.starting))
  if (isHalf) await awaitCreation(local, id)
  const monitor = await findMonitor(local, id, run)
  const first = isHalf ? await findFirstProcess(local, id) : run?.process
  if (first !== undefined && (await isRunning(first))) {
    if (!isHalf) await noteSignal(local, record, 'SIGKILL')
    await killHard(local, id, first)
  }
  if (monitor !== undefined) await awaitMonitor(local, id, monitor)
  if (!isHalf) await noteEnd(local, record, run)
  await Promise.all([
    rm(`${runtimeRoot(local)}/${id}`, { recursive: true, force: true }),
    removeCgroups(await findCgroups(), id),
    rm(containerPath(local, id, monitorFiles.starting), { force: true }),
  ])
}

/** A call has died between starting the monitor and the container's start. The monitor carries on without it. */
async function awaitCreation(local: Local, id: string): Promise<void> {
  const folder = containerPath(local, id)
  const hasPid = async () => ((await readPid(local, id, 'monitor')) === undefined ? undefined : true)
  await watchUntil(folder, undefined, hasPid, { timeoutMs: PID_MS }).catch(() => {})
  const isDone = async (): Promise<true | undefined> => {
    if ((await readPid(local, id, 'process')) !== undefined) return true
    const monitor = await findMonitor(local, id, undefined)
    return monitor === undefined ? true : undefined
  }
  await watchUntil(folder, undefined, isDone, { timeoutMs: CREATE_MS, everyMs: 100 }).catch(() => {})
}

async function findMonitor(local: Local, id: string, run: Run | undefined): Promise<ProcessMark | undefined> {
  if (run?.monitor !== undefined && (await isRunning(run.monitor))) return run.monitor
  const pid = await readPid(local, id, 'monitor')
  return pid !== undefined && (await isOf(pid, id, 'cmdline')) ? markProcess(pid) : undefined
}

/** A process id may belong to another process by now: its cgroup names the container. */
async function findFirstProcess(local: Local, id: string): Promise<ProcessMark | undefined> {
  const pid = await readPid(local, id, 'process')
  return pid !== undefined && (await isOf(pid, id, 'cgroup')) ? markProcess(pid) : undefined
}

async function isOf(pid: number, id: string, file: 'cgroup' | 'cmdline'): Promise<boolean> {
  return (await readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '')).includes(id)
}

/** With the first process of a container, the kernel kills all others; those that are frozen die when they go on. */
async function killHard(local: Local, id: string, first: ProcessMark): Promise<void> {
  await sendSignal(first, 'SIGKILL')
  await setFrozen(id, false).catch(() => {})
  const hasEnded = async () => ((await isRunning(first)) ? undefined : true)
  const what = `the end of the container ${id.slice(0, 12)} after SIGKILL`
  await watchUntil(local.store.path('exits'), id, hasEnded, { timeoutMs: KILL_MS, what, everyMs: 20 })
}

const MONITOR_MS = 5000

/** The monitor ends by itself after it has written the exit code. */
async function awaitMonitor(local: Local, id: string, monitor: ProcessMark): Promise<void> {
  const isDone = async (): Promise<true | undefined> =>
    (await isThere(exitPath(local, id))) || !(await isRunning(monitor)) ? true : undefined
  await watchUntil(local.store.path('exits'), id, isDone, { timeoutMs: MONITOR_MS, everyMs: 50 }).catch(() => {})
}
