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
  const goal = wanted ? 'frozen' : 'thawed'
  for (let tries = 1; ; tries++) {
    const now = await readFreezer(cgroups, id)
    if (now === undefined) throw noFreezer(id)
    if (now === goal) return
    if (Date.now() > untilMs) throw tooSlow(id, wanted)
    if (wanted && tries % AGAIN_AFTER === 0) await thawShortly(cgroups, id)
    await write(cgroups, id, wanted)
    if ((await readFreezer(cgroups, id)) !== goal) await sleep(tries % AGAIN_AFTER, undefined, { signal })
  }
}

/** Number of looks after which another try is made. */
const AGAIN_AFTER = 4
const THAW_MS = 10

/** A process that is just starting another one can keep version 1 from ever being done: it has to get on first. */
async function thawShortly(cgroups: Cgroups, id: string): Promise<void> {
  await write(cgroups, id, false)
  await sleep(THAW_MS)
}

function tooSlow(id: string, wanted: boolean): TestfleetError {
  const what = wanted ? 'frozen' : 'thawed'
  return new TestfleetError('ENGINE_TIMEOUT', `the processes of the container ${id} were not ${what} in time`)
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
