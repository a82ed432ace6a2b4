import { expect, vi } from 'vitest'
import { listRecords, type RunningCommand, SOON_MS } from './command.ts'
import { Testfleet } from './library.ts'
import { makeFleet, server, sleeper, type TestFleet } from './test-fleet.ts'

export interface Keeper {
  readonly pid: number
  readonly socket: string
}

/** The keeper of the one session of a fleet, as its record says. */
export async function findKeeper(fleet: TestFleet): Promise<Keeper> {
  const records = await listRecords()
  const record = records.find(
    ({ fleet: name, change, lifetime }) => name === fleet.name && (change ?? lifetime.kind !== 'lasting'),
  )
  const keeper = record?.change?.keeper ?? (record?.lifetime.kind === 'lasting' ? undefined : record?.lifetime.keeper)
  // No pid in its place: a signal to 0 would end the tests.
  if (keeper === undefined) throw new Error(`nothing of ${fleet.name} has a keeper`)
  return { pid: keeper.process.pid, socket: keeper.socket }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export async function waitForEnd(pid: number): Promise<void> {
  await vi.waitUntil(() => !isAlive(pid), { timeout: SOON_MS })
}

/** A session of `run` whose command has begun, and goes on until it is told to end. */
export async function startRun(
  fleet: TestFleet,
): Promise<{ command: RunningCommand; session: string; keeper: Keeper }> {
  const command = fleet.start(['run', '--quiet', '--', 'sh', '-c', 'echo "in $TESTFLEET_SESSION"; exec sleep 600'])
  await command.waitForOutput(/in \S+\n/)
  const keeper = await findKeeper(fleet)
  const record = (await listRecords()).find(
    ({ fleet: name, lifetime }) => name === fleet.name && lifetime.kind === 'held',
  )
  return { command, session: record?.name ?? '', keeper }
}

/** What `ps` tells. */
interface Told {
  readonly servers: Readonly<Record<string, { readonly container: string; readonly state: string }>>
}

/** Asked for in this process: a child process costs much more. */
export function tellOf(fleet: TestFleet, session?: string): Promise<Told> {
  return new Testfleet({ folder: fleet.folder }).ps({ session })
}

/** An `up` that has set two servers aside for new ones, and waits for what will never be. */
export async function startReplacement(): Promise<{ fleet: TestFleet; before: Told; command: RunningCommand }> {
  const depends = server({ command: ['sleep', '600'], dependsOn: ['db'] })
  const fleet = await makeFleet([`db: ${sleeper}`, `web: ${depends}`])
  await fleet.run(['up'])
  const before = await tellOf(fleet)
  await fleet.rewrite([`db: ${server({ command: ['sleep', '601'], ready: [{ log: 'never' }] })}`, `web: ${depends}`])
  const command = fleet.start(['up', '--verbose'])
  await command.waitForOutput(/db: waiting for log "never": nothing/)
  return { fleet, before, command }
}

/** A fleet that is up, and a declaration of it that cannot come up. */
export async function makeDoomed(): Promise<{ fleet: TestFleet; before: Told }> {
  const fleet = await makeFleet([`db: ${sleeper}`])
  await fleet.run(['up'])
  const before = await tellOf(fleet)
  await fleet.rewrite([`db: ${server({ command: ['sh', '-c', 'exit 3'], ready: [{ log: 'never' }] })}`])
  return { fleet, before }
}

/** That the very containers of before run again. */
export async function expectPutBack(fleet: TestFleet, before: Told): Promise<void> {
  const after = await tellOf(fleet)
  expect(containersOf(after)).toEqual(containersOf(before))
  expect(Object.values(after.servers).filter(({ state }) => state !== 'ready')).toEqual([])
}

function containersOf({ servers }: Told): Record<string, string> {
  return Object.fromEntries(Object.entries(servers).map(([name, { container }]) => [name, container]))
}
