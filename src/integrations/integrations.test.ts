import { expect, test, vi } from 'vitest'
import type { LeasedServer, RunningFleet, TestfleetEvent } from '../index.ts'
import { fixtureNames, refuseUnknown, unknownFixture, usedFixtures } from './fixtures.ts'
import { setVariables } from './global-fleet.ts'
import { type Testfleet, TestfleetError } from './library.ts'
import { claimVersion, explainUnknownServers, type OpenFleet, openFleet } from './open-fleet.ts'
import { describeServers, formatStories } from './show-failure.ts'
import { TestScope } from './test-scope.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString()

/** A fleet of which only what servers did is asked. */
function openFake(activity: Testfleet['activity'], events: readonly TestfleetEvent[] = []): OpenFleet {
  return {
    fleet: { session: 'shop', lease: async () => lease } as unknown as RunningFleet,
    client: { activity } as Testfleet,
    readyAt: new Date(at(10)),
    events,
    close: async () => {},
    end: async () => {},
  }
}

const release = vi.fn(async () => {})
const lease = { session: 'shop-pool', copy: 'db-2', release } as unknown as LeasedServer

test('a failed test shows lines and events of its servers in the order of their times, and no earlier events', async () => {
  const asked = [5, 12].map((second) => ({
    ...{ time: at(second), session: 'shop', operation: { id: '1', name: 'restart' }, kind: 'server.waiting' as const },
    data: { server: 'db', check: 'tcp 5432', answer: 'connection refused' },
  }))
  const stories = await describeServers(
    openFake(async ({ session, since }) => {
      expect(since).toEqual(new Date(at(session === 'shop' ? 11 : 12)))
      const lines = [
        { time: at(11), stream: 'stdout' as const, text: '\u001b[31mone\u001b[0m' },
        { time: at(14), stream: 'stderr' as const, text: 'two' },
      ]
      const exited = { time: at(13), kind: 'server.exited' as const, data: { server: 'db', exitCode: 137 } }
      if (session === 'shop-pool') return [{ server: 'db-2', lines: lines.slice(1), leftOut: 3, events: [] }]
      return [
        { server: 'db', lines, leftOut: 0, events: [exited] },
        { server: 'web', lines: [], leftOut: 0, events: [] },
      ]
    }, asked),
    { since: new Date(at(11)), leases: [{ lease, since: new Date(at(12)) }] },
  )
  expect(formatStories(stories)).toBe(
    [
      'db:',
      '  12:00:11.000 one',
      '  12:00:12.000 * ready check tcp 5432: connection refused',
      '  12:00:13.000 * ended with exit code 137',
      '  12:00:14.000 two',
      'db-2: (3 earlier lines)',
      '  12:00:14.000 two',
      'web: logged nothing during this test',
    ].join('\n'),
  )
  expect(formatStories(stories, 1)).toContain('db: (3 earlier lines)\n  12:00:14.000 two\n')
})

test('a failed test shows a server that had ended before, and one that ended meanwhile only once', async () => {
  const exited = { time: at(13), kind: 'server.exited' as const, data: { server: 'web', exitCode: 1 } }
  const stories = await describeServers(
    openFake(async () => [
      { server: 'db', lines: [], leftOut: 0, events: [], exitCode: 137 },
      { server: 'web', lines: [], leftOut: 0, events: [exited], exitCode: 1 },
    ]),
    { since: new Date(at(11)), leases: [] },
  )
  const shown = [
    'db:',
    '  * does not run: it ended with exit code 137',
    'web:',
    '  12:00:13.000 * ended with exit code 1',
  ]
  expect(formatStories(stories)).toBe(shown.join('\n'))
})

test('a failed test that waited for the start of the fleet shows nothing of that time', async () => {
  const activity = vi.fn(async () => [])
  await describeServers(openFake(activity), { since: new Date(at(1)), leases: [] })
  expect(activity).toHaveBeenCalledWith(expect.objectContaining({ since: new Date(at(10)) }))
})

test('a failed test that has replaced the clock shows its real time', async () => {
  const begun = Date.now()
  const activity = vi.fn<Testfleet['activity']>(async () => [])
  vi.useFakeTimers({ toFake: ['Date'], now: 0 })
  try {
    const scope = new TestScope()
    scope.use(openFake(activity))
    await scope.describe()
  } finally {
    vi.useRealTimers()
  }
  const { since, until } = activity.mock.calls[0]?.[0] ?? {}
  expect(since?.getTime()).toBeGreaterThanOrEqual(begun)
  expect(until?.getTime()).toBeGreaterThanOrEqual(begun)
})

test('servers that cannot be asked do not hide the failure of the test', async () => {
  const open = openFake(async () => {
    throw new Error('the engine does not answer')
  })
  const stories = await describeServers(open, { since: new Date(at(11)), leases: [] })
  expect(formatStories(stories)).toBe('session shop:\n  * its log cannot be shown: the engine does not answer')
})

test('the leases of a test go back after it, and there are none outside of it', async () => {
  const scope = new TestScope()
  await expect(scope.lease('db')).rejects.toThrow('the lease of db was asked for outside of a test')
  expect(await scope.describe()).toEqual([])
  scope.use(openFake(async () => []))
  await scope.lease('db')
  const late = expect(scope.lease('db')).rejects.toMatchObject({ code: 'USAGE' })
  expect(release).not.toHaveBeenCalled()
  await scope.end()
  await late
  expect(release).toHaveBeenCalledTimes(2)
  await expect(scope.lease('db')).rejects.toMatchObject({ code: 'USAGE' })
  expect(await scope.describe()).toEqual([])
})

test('a server whose name is no word, or has another meaning, is no fixture', () => {
  const server = { image: 'nginx' }
  const fleet = { servers: { db: server, 'web-1': server, fleet: server, task: server } }
  expect(fixtureNames(fleet, ['task'])).toEqual(['db'])
  expect(fixtureNames('./testfleet.yaml')).toEqual([])
  expect(unknownFixture('cache', fleet, ['fleet', 'lease', 'db'])).toMatchObject({
    code: 'UNKNOWN_SERVER',
    hint: 'The fixtures of this fleet are fleet, lease, db.',
  })
  expect(unknownFixture('bd', fleet, ['fleet', 'lease', 'db']).message).toBe(
    'there is no fixture bd\nhint: Did you mean db? The fixtures of this fleet are fleet, lease, db.',
  )
  expect(unknownFixture('db', undefined, []).hint).toContain("Use `fleet.server('db')`")
})

test('a fleet is shared by a word of four', async () => {
  const place = { runner: process.pid, worker: '1' }
  const opening = openFleet('./testfleet.yaml', { per: 'suite' as 'run' }, place)
  await expect(opening).rejects.toMatchObject({ code: 'USAGE', hint: 'Use one of run, worker, file, test.' })
})

test('two versions of the library in one process are refused', () => {
  claimVersion()
  expect(() => claimVersion('9.9.9')).toThrow(/this project has testfleet \S+ and testfleet 9\.9\.9/)
  claimVersion()
})

test('variables of a fleet are reset to what they were', () => {
  process.env.INTEGRATION_ONE = 'old'
  const before = setVariables({ INTEGRATION_ONE: 'new', INTEGRATION_TWO: 'new' })
  expect(process.env).toMatchObject({ INTEGRATION_ONE: 'new', INTEGRATION_TWO: 'new' })
  setVariables(before)
  expect(process.env.INTEGRATION_ONE).toBe('old')
  expect('INTEGRATION_TWO' in process.env).toBe(false)
  delete process.env.INTEGRATION_ONE
})

test('the servers that a test leases are read from its first parameter', () => {
  const call = (...args: unknown[]): unknown => args
  expect(usedFixtures(async ({ db, web: other }: Record<string, unknown>) => call(db, other))).toEqual(['db', 'web'])
  expect(
    usedFixtures(async function (this: unknown, { db }: Record<string, unknown>) {
      call(db)
    }),
  ).toEqual(['db'])
  expect(usedFixtures(() => 1)).toEqual([])
  expect(usedFixtures((all: unknown) => all)).toBe(undefined)
  expect(usedFixtures(({ db, ...rest }: Record<string, unknown>) => call(db, rest))).toBe(undefined)
})

test('reading a fixture that is no server throws, and awaiting or printing the fixtures does not', async () => {
  const fixtures = refuseUnknown({ db: 1 }, (name) => new Error(`no ${name}`)) as Record<string, unknown>
  expect(fixtures.db).toBe(1)
  expect(() => fixtures.cache).toThrow('no cache')
  expect(JSON.stringify(await fixtures)).toBe('{"db":1}')
})

test('a server or fixture that does not exist is reported with the names that exist, at the line of the test', () => {
  const known: Pick<RunningFleet, 'server'> = {
    server(name: string): never {
      throw new TestfleetError('UNKNOWN_SERVER', `there is no server ${name}`, { hint: 'The servers are: db, tool.' })
    },
  }
  explainUnknownServers(known)
  const fixtures = refuseUnknown({}, (name) => unknownFixture(name, {}, ['fleet', 'lease', 'tool'])) as {
    tol?: unknown
  }
  const failures = [() => known.server('tol'), () => fixtures.tol].map((work) => {
    try {
      return work()
    } catch (error) {
      return error
    }
  }) as Error[]
  expect(failures.map((error) => error.message.split('\n')[1])).toEqual([
    'hint: The servers are: db, tool.',
    'hint: Did you mean tool? The fixtures of this fleet are fleet, lease, tool.',
  ])
  for (const { message: told, stack = '' } of failures) {
    expect(stack).toContain(told)
    expect(stack.split('\n    at ')[1]).toMatch(/integrations\.test\.ts(?:\?\S+?)?:\d+/)
  }
})
