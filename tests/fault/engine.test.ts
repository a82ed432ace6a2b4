import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type CommandResult, removeFleetFolders } from '../support/command.ts'
import { isLong, report } from '../support/fault.ts'
import {
  type Fault,
  type FaultProxy,
  type Misbehaviour,
  misbehaviours,
  openFaultProxy,
} from '../support/fault-proxy.ts'
import {
  type Ending,
  impatient,
  makeStoryFleet,
  patient,
  type Story,
  stories,
  unhurried,
} from '../support/fault-stories.ts'
import { leftBehind, removeAllOf } from '../support/left-behind.ts'
import type { StoryFleet } from '../support/story-fleet.ts'

/** Everything in the long form; else a part that has every misbehaviour and every kind of call. */
interface Case extends Fault {
  readonly story: Story
}

let cases: readonly Case[] = []
const counts = { cases: 0, notHit: 0, well: 0, error: 0, sweptLater: 0, left: 0, hung: 0, otherwise: 0 }
const codes = new Map<string, number>()

beforeAll(async () => {
  vi.stubEnv('TESTFLEET_ENGINE_TIMEOUT', patient.engineTimeout)
  const kindsOf = await Promise.all(stories.map(record))
  vi.stubEnv('TESTFLEET_ENGINE_TIMEOUT', impatient.engineTimeout)
  const recorded = stories.flatMap((story, index) => (kindsOf[index] ?? []).map((kind) => [story, kind] as const))
  const kinds = new Set(recorded.map(([, kind]) => kind))
  cases = isLong ? allOf(recorded) : sampleOf(recorded)
  process.stdout.write(`${kinds.size} kinds of calls × ${misbehaviours.length} misbehaviours: ${cases.length} cases\n`)
})

/** Keepers look again before they end, so these proxies stay until then. */
const proxies: FaultProxy[] = []
const LAST_LOOK_MS = 4000

afterAll(async () => {
  await sleep(LAST_LOOK_MS)
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]()
  report('engine', { ...counts, ...Object.fromEntries(codes) })
  await removeFleetFolders()
})

/** The kinds of call of a good run, which has to go well through the proxy. */
async function record(story: Story): Promise<readonly string[]> {
  const proxy = await openFaultProxy()
  proxies.push(proxy)
  const fleet = await makeStoryFleet()
  await story.prepare?.(fleet)
  expect(await story.tell(fleet, proxy, () => {}, patient), `${story.name} without any fault`).toEqual({ kind: 'well' })
  expect(await leftBehind(fleet.name)).toBe(0)
  await removeAllOf(fleet.name)
  return [...proxy.kinds.keys()]
}

/** Every kind of call of every story with every misbehaviour; once and at each call in turn. */
function allOf(recorded: readonly (readonly [Story, string])[]): Case[] {
  const all = recorded.flatMap(([story, kind]) => misbehaviours.map((misbehaviour) => ({ story, kind, misbehaviour })))
  return all.map((one, i) => ({ ...one, occurrence: i % 2 === 0 ? 1 : 'every' }))
}

/** Every kind in the first story that has it, with the next misbehaviour; once and at each call in turn. */
function sampleOf(recorded: readonly (readonly [Story, string])[]): Case[] {
  const first = recorded.filter(([, kind], i) => recorded.findIndex(([, other]) => other === kind) === i)
  return first.map(([story, kind], i) => ({
    story,
    kind,
    misbehaviour: misbehaviours[i % misbehaviours.length] as Misbehaviour,
    occurrence: i % 2 === 0 ? 1 : 'every',
  }))
}

// Side by side, as most of a case is waiting, for what hangs.
describe.concurrent.each(misbehaviours)('an engine that misbehaves: %s', (misbehaviour) => {
  test('makes every call succeed or fail with a clear error, and leaves nothing behind', async () => {
    const problems: string[] = []
    for (const one of cases) if (one.misbehaviour === misbehaviour) problems.push(...(await live(one)))
    expect(problems).toEqual([])
  })
})

/** Lives through one case; resolves with what was not as it has to be. */
async function live(one: Case): Promise<string[]> {
  const title = `${one.story.name}, ${one.kind}, ${one.misbehaviour}, ${one.occurrence}`
  counts.cases++
  const proxy = await openFaultProxy()
  proxies.push(proxy)
  const fleet = await makeStoryFleet({ isSmall: !isLong })
  const problems: string[] = []
  await one.story.prepare?.(fleet)
  proxy.misbehave(one)
  try {
    const ending = await one.story.tell(fleet, proxy, () => proxy.misbehave(undefined))
    if (proxy.hits === 0) counts.notHit++
    note(ending)
    // What `down` says is gone is gone at once.
    if (one.story.name === 'down' && ending.kind === 'well' && (await leftBehind(fleet.name, 0)) > 0)
      problems.push(`${title}: a false success, something is left`)
  } catch (error) {
    const isHung = /did not end within/.test(String(error))
    counts[isHung ? 'hung' : 'otherwise']++
    problems.push(`${title}: ${error}`)
  }
  proxy.misbehave(undefined)
  const left = await sweep(fleet)
  if (left > 0) problems.push(`${title}: ${left} left`)
  // A busy engine that does not remove an image in time does not end the other cases.
  await removeAllOf(fleet.name).catch((error: unknown) => problems.push(`${title}, tidied up: ${error}`))
  return problems
}

function note(ending: Ending): void {
  counts[ending.kind]++
  if (ending.kind === 'error') codes.set(ending.code, (codes.get(ending.code) ?? 0) + 1)
}

/** What is left once the engine behaves again, and after one more command where the client could not clean up. */
async function sweep(fleet: StoryFleet): Promise<number> {
  if ((await leftBehind(fleet.name)) === 0) return 0
  const pruned: CommandResult = await fleet.call(['prune'], unhurried)
  const left = pruned.exitCode === 0 ? await leftBehind(fleet.name) : await leftBehind(fleet.name, 0)
  counts[left === 0 ? 'sweptLater' : 'left']++
  return left
}
