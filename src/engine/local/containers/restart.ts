import { leave } from '../networks/attach.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { watchUntil } from '../watch.ts'
import { noteEnd } from './event-log.ts'
import { containerPath, findContainer, isThere, type Life, readSettledLife, stoppedPath } from './life.ts'
import { withLock } from './lock.ts'
import { startLocked } from './start.ts'

/** Docker's pauses: the first, the longest, and how long a run has to be for the next pause to be the first again. */
const [FIRST_MS, LONGEST_MS, LONG_RUN_MS] = [100, 60_000, 10_000]

/** Starts a container again that has ended with an error, if it may and nobody has stopped it. */
export async function restartContainer(local: Local, id: string): Promise<void> {
  const record = await findContainer(local, id)
  if (record === undefined) return
  const life = await readSettledLife(local, record)
  await noteEnd(local, record, life.run)
  await leave(local, id)
  if (life.run === undefined || !mayRestart(record, life) || (await isThere(stoppedPath(local, id)))) return
  const pauseMs = pauseAfter(life.run.pauseMs ?? FIRST_MS, life)
  await pause(local, id, pauseMs)
  const startedAtMs = life.run.startedAtMs
  const { restarts } = life.run
  await withLock(local, id, {}, async () => {
    const now = await findContainer(local, id)
    if (now === undefined || (await isThere(stoppedPath(local, id)))) return
    // Someone may have started it meanwhile.
    if ((await readSettledLife(local, now)).run?.startedAtMs !== startedAtMs) return
    await startLocked(local, id, {}, { restarts: restarts + 1, pauseMs })
  })
}

function mayRestart({ spec }: ContainerRecord, { exitCode, run }: Life): boolean {
  return exitCode !== 0 && (run?.restarts ?? 0) < (spec.restarts ?? 0)
}

/** Each pause is twice as long as the one before. */
function pauseAfter(beforeMs: number, { run, endedAtMs }: Life): number {
  if (run === undefined || run.restarts === 0 || endedAtMs - run.startedAtMs > LONG_RUN_MS) return FIRST_MS
  return Math.min(beforeMs * 2, LONGEST_MS)
}

/** Ends early when the container is stopped or removed. */
async function pause(local: Local, id: string, timeoutMs: number): Promise<void> {
  const folder = containerPath(local, id)
  const isOver = async (): Promise<true | undefined> =>
    (await isThere(stoppedPath(local, id))) || !(await isThere(containerPath(local, id, 'container.json')))
      ? true
      : undefined
  await watchUntil(folder, undefined, isOver, { timeoutMs }).catch(() => {})
}
