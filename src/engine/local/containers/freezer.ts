import { readFile, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestfleetError } from '../../../model/failures.ts'
import { type Cgroups, cgroupFolder, findCgroups } from '../oci/cgroups.ts'
import { undefinedIfGone } from '../store.ts'

/** Whether the processes of a container are frozen. */
export async function isFrozen(id: string): Promise<boolean> {
  return (await readFreezer(await findCgroups(), id)) === 'frozen'
}

const FREEZE_MS = 10_000

/** Freezes or thaws all processes of a container, and returns once they are. ENGINE_REFUSED, ENGINE_TIMEOUT. */
export async function setFrozen(id: string, wanted: boolean, signal?: AbortSignal): Promise<void> {
  const cgroups = await findCgroups()
  const untilMs = Date.now() + FREEZE_MS
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    const now = await readFreezer(cgroups, id)
    if (now === undefined) throw noFreezer(id)
    if (now === (wanted ? 'frozen' : 'thawed')) return
    if (Date.now() > untilMs)
      throw new TestfleetError('ENGINE_TIMEOUT', `the processes of the container ${id} could not be frozen in time`)
    // Written again each time: version 1 can miss a process that was being started.
    await write(cgroups, id, wanted)
    if ((await readFreezer(cgroups, id)) !== (wanted ? 'frozen' : 'thawed')) await sleep(pauseMs, undefined, { signal })
  }
}

async function write(cgroups: Cgroups, id: string, wanted: boolean): Promise<void> {
  const folder = cgroupFolder(cgroups, id, 'freezer')
  const isOne = cgroups.unified === undefined
  const text = isOne ? (wanted ? 'FROZEN' : 'THAWED') : wanted ? '1' : '0'
  await writeFile(`${folder}/${isOne ? 'freezer.state' : 'cgroup.freeze'}`, text).catch(undefinedIfGone)
}

async function readFreezer(cgroups: Cgroups, id: string): Promise<'frozen' | 'thawed' | 'between' | undefined> {
  const folder = cgroupFolder(cgroups, id, 'freezer')
  if (folder === undefined) return undefined
  const read = (name: string) => readFile(`${folder}/${name}`, 'utf8').catch(undefinedIfGone)
  if (cgroups.unified === undefined) {
    const text = (await read('freezer.state'))?.trim()
    if (text === undefined) return undefined
    return text === 'FROZEN' ? 'frozen' : text === 'THAWED' ? 'thawed' : 'between'
  }
  const [wanted, events] = await Promise.all([read('cgroup.freeze'), read('cgroup.events')])
  if (wanted === undefined) return undefined
  const isNow = /^frozen 1$/m.test(events ?? '')
  return isNow === (wanted.trim() === '1') ? (isNow ? 'frozen' : 'thawed') : 'between'
}

function noFreezer(id: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `the container ${id} cannot be paused: it has no cgroup of its own`)
}
