import { describe, expect, test, vi } from 'vitest'
import { eventSchema } from '../cli/event-schema.ts'
import type { FleetEvent } from '../model/events.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Operation, Plan } from '../model/plan.ts'
import { EventHub } from './event-hub.ts'
import { STREAM_LENGTH } from './event-stream.ts'
import type { TestfleetEvent } from './events.ts'
import { inOperation, streamInOperation } from './operation.ts'

const image = { reference: 'testfleet/shop-web:1f', servers: ['web'] }
const plan = {
  session: 'shop',
  operations: [
    { id: 'pull', needs: [], kind: 'pullImage', reference: 'db:1', platform: undefined, servers: ['db'] },
    { id: 'network', needs: [], kind: 'createNetwork' },
    { id: 'start web', needs: [], kind: 'startServer', server: 'web', reason: 'not running' },
    { id: 'record', needs: [], kind: 'saveRecord', updates: [{ server: 'db', reason: 'exports changed' }] },
  ],
} as Plan

/** Each kind of internal event. */
const internal: Readonly<Record<FleetEvent['kind'], FleetEvent>> = {
  sessionChosen: { kind: 'sessionChosen', session: 'shop' },
  phaseBegan: { kind: 'phaseBegan', phase: 'sweep' },
  operationBegan: { kind: 'operationBegan', operation: plan.operations[1] as Operation },
  operationEnded: { kind: 'operationEnded', operation: plan.operations[1] as Operation, hasFailed: false },
  recordingPackages: { kind: 'recordingPackages', ...image },
  planned: { kind: 'planned', plan },
  networkCreated: { kind: 'networkCreated', network: 'shop-1' },
  networkRemoved: { kind: 'networkRemoved', network: 'shop-1' },
  volumeCreated: { kind: 'volumeCreated', volume: 'data' },
  volumeRemoved: { kind: 'volumeRemoved', volume: 'data' },
  bundled: { kind: 'bundled', folder: '/tmp/x', archive: undefined },
  warned: { kind: 'warned', message: 'careful' },
  noted: { kind: 'noted', message: 'waiting for the lender' },
  queued: { kind: 'queued', session: 'shop', behind: 'process 7' },
  rollingBack: { kind: 'rollingBack', servers: ['web'] },
  kept: { kind: 'kept', session: 'shop', servers: ['web'] },
  swept: { kind: 'swept', session: 'dead', servers: ['web'], back: ['db'] },
  pulling: { kind: 'pulling', ...image, status: 'asking the registry' },
  pulled: { kind: 'pulled', ...image, elapsedMs: 1.4 },
  building: { kind: 'building', ...image, step: { number: 1, total: 2, text: 'from x', isCached: true } },
  buildOutput: { kind: 'buildOutput', ...image, line: 'hello' },
  built: { kind: 'built', ...image, elapsedMs: 2 },
  baking: { kind: 'baking', ...image, status: 'db is ready' },
  baked: { kind: 'baked', ...image, elapsedMs: 2 },
  imageRemoved: { kind: 'imageRemoved', reference: 'testfleet/shop-web:1f' },
  created: { kind: 'created', server: 'web', container: 'abc' },
  starting: { kind: 'starting', server: 'web' },
  started: { kind: 'started', server: 'web' },
  stopping: { kind: 'stopping', server: 'web' },
  stopped: { kind: 'stopped', server: 'web' },
  removing: { kind: 'removing', server: 'web' },
  removed: { kind: 'removed', server: 'web' },
  replaced: { kind: 'replaced', server: 'web' },
  paused: { kind: 'paused', server: 'web' },
  resumed: { kind: 'resumed', server: 'web' },
  killed: { kind: 'killed', server: 'web', signal: 'SIGHUP' },
  waiting: { kind: 'waiting', server: 'web', check: 'tcp :80', answer: 'refused', tookMs: 4.6 },
  holds: { kind: 'holds', server: 'web', check: 'tcp :80', tookMs: 0.4 },
  ready: { kind: 'ready', server: 'web', elapsedMs: 1200.4, isKept: false, isCompleted: true },
  hook: { kind: 'hook', server: 'web', hook: 'postStart', number: 1, total: 1, command: 'psql' },
  hookOutput: { kind: 'hookOutput', server: 'web', hook: 'postStart', line: 'done' },
  failed: { kind: 'failed', servers: ['web'], message: 'web ended with exit code 1' },
  skipped: { kind: 'skipped', server: 'app', because: 'web' },
}

function listen(): { hub: EventHub; events: TestfleetEvent[]; kinds: () => string[] } {
  const hub = new EventHub()
  const events: TestfleetEvent[] = []
  hub.add((event) => events.push(event))
  return { hub, events, kinds: () => events.map(({ kind }) => kind) }
}

describe('an operation', () => {
  test('delivers its events between its start and its end, as its session becomes known', async () => {
    const { hub, events, kinds } = listen()
    const result = await inOperation({ name: 'up', hub }, async (onEvent) => {
      onEvent(internal.warned)
      onEvent(internal.sessionChosen)
      onEvent(internal.starting)
      onEvent(internal.swept)
      return 7
    })
    expect(result).toBe(7)
    const own = ['warning', 'server.starting', 'session.cleaned']
    expect(kinds()).toEqual(['operation.started', ...own, 'operation.ended'])
    expect(events.map(({ session }) => session)).toEqual([undefined, undefined, 'shop', 'dead', 'shop'])
    expect(new Set(events.map(({ operation }) => operation.id)).size).toBe(1)
    expect(events.at(-1)).toMatchObject({ operation: { name: 'up' }, data: { outcome: 'ok' } })
    expect(events.every(({ time }) => new Date(time).toISOString() === time)).toBe(true)
  })

  const stop = AbortSignal.abort(new Error('enough'))
  test.each([
    ['a failure', new TestfleetError('SERVER_DIED', 'web ended'), { outcome: 'failed', code: 'SERVER_DIED' }],
    ['a bug', new TypeError('oops'), { outcome: 'failed', message: 'oops' }],
    ['a signal of the command', new TestfleetError('CANCELLED', 'ended by SIGINT'), { outcome: 'cancelled' }],
    ["its caller's signal", stop.reason, { outcome: 'cancelled', message: 'enough' }],
  ])('ends with the outcome of %s', async (_, error, data) => {
    const { hub, events } = listen()
    const failing = inOperation({ name: 'up', hub, signal: stop }, () => Promise.reject(error))
    await expect(failing).rejects.toBe(error)
    expect(events.at(-1)).toMatchObject({ kind: 'operation.ended', data })
  })

  test('writes every kind of internal event as a line that the event schema accepts', async () => {
    const { hub, events, kinds } = listen()
    await inOperation({ name: 'up', hub }, async (onEvent) => {
      for (const event of Object.values(internal)) onEvent(event)
    })
    for (const event of events) {
      const line = JSON.parse(JSON.stringify(event))
      expect(eventSchema.safeParse(line), event.kind).toMatchObject({ success: true })
    }
    const kept = ['sessionChosen', 'phaseBegan', 'operationBegan', 'operationEnded', 'recordingPackages']
    // All others, plus the start and the end.
    expect(new Set(kinds()).size).toBe(Object.keys(internal).length - kept.length + 2)
    const tries = events.filter(({ kind }) => kind === 'server.waiting' || kind === 'server.checked')
    expect(tries.map(({ data }) => data)).toEqual([
      { server: 'web', check: 'tcp :80', answer: 'refused', elapsedMs: 5 },
      { server: 'web', check: 'tcp :80', elapsedMs: 0 },
    ])
    expect(events.find(({ kind }) => kind === 'plan.made')?.data).toEqual({
      changes: [
        { action: 'pull', subject: 'image', name: 'db:1' },
        { action: 'create', subject: 'network', name: 'shop' },
        { action: 'start', subject: 'server', name: 'web', reason: 'not running' },
        { action: 'update', subject: 'server', name: 'db', reason: 'exports changed' },
      ],
    })
  })

  test('ends when its reader stops reading', async () => {
    const { hub, kinds } = listen()
    async function* count() {
      for (let number = 0; ; number += 1) yield number
    }
    for await (const number of streamInOperation({ name: 'logs', hub }, count)) if (number === 2) break
    expect(kinds()).toEqual(['operation.started', 'operation.ended'])
  })
})

describe('a listener that throws', () => {
  const broken = new Error('the listener is broken')
  const throwAt = (kind: string): EventHub => {
    const hub = new EventHub()
    hub.add((event) => {
      if (event.kind === kind) throw broken
    })
    return hub
  }

  test('at the start of an operation keeps the operation from starting', async () => {
    const work = vi.fn()
    await expect(inOperation({ name: 'up', hub: throwAt('operation.started') }, work)).rejects.toBe(broken)
    expect(work).not.toHaveBeenCalled()
  })

  test('at the end of a successful operation has it undone', async () => {
    const undone: number[] = []
    const hub = throwAt('operation.ended')
    const ending = inOperation(
      { name: 'up', hub },
      async () => 7,
      async (result) => void undone.push(result),
    )
    await expect(ending).rejects.toBe(broken)
    expect(undone).toEqual([7])
  })

  test('at the end of a failed operation does not hide the failure', async () => {
    const failure = new Error('no engine')
    const failing = inOperation({ name: 'up', hub: throwAt('operation.ended') }, () => Promise.reject(failure))
    await expect(failing).rejects.toMatchObject({ errors: [failure, broken] })
  })

  test('does not keep events from other listeners', () => {
    const hub = throwAt('warning')
    const events: TestfleetEvent[] = []
    hub.add((event) => events.push(event))
    expect(() => hub.emit(warning(1))).toThrow(broken)
    expect(events).toHaveLength(1)
  })
})

function warning(number: number, session = 'shop'): TestfleetEvent {
  const operation = { id: '1', name: 'up' }
  return { time: new Date(number).toISOString(), session, operation, kind: 'warning', data: { message: `${number}` } }
}

async function readAll(stream: AsyncIterable<TestfleetEvent>): Promise<unknown[]> {
  const read: unknown[] = []
  for await (const event of stream) read.push(event.data)
  return read
}

describe('a stream of events', () => {
  test('delivers events from before and during reading, in order, until it ends', async () => {
    const hub = new EventHub()
    const stream = hub.stream()
    hub.emit(warning(1))
    const reading = readAll(stream)
    await Promise.resolve()
    hub.emit(warning(2))
    stream.end()
    hub.emit(warning(3))
    expect(await reading).toEqual([{ message: '1' }, { message: '2' }])
  })

  test('drops the oldest events of a slow reader, and reports their number', async () => {
    const hub = new EventHub()
    const stream = hub.stream()
    for (let number = 1; number <= 2 * STREAM_LENGTH + 5; number += 1) hub.emit(warning(number))
    stream.end()
    const read = await readAll(stream)
    expect(read.slice(0, 2)).toEqual([{ count: STREAM_LENGTH + 5 }, { message: `${STREAM_LENGTH + 6}` }])
    expect(read).toHaveLength(STREAM_LENGTH + 1)
    expect(read.at(-1)).toEqual({ message: `${2 * STREAM_LENGTH + 5}` })
  })

  test('delivers only the events of one session on request', async () => {
    const hub = new EventHub()
    const stream = hub.stream({ session: 'shop' })
    hub.emit(warning(1, 'other'))
    hub.emit(warning(2))
    stream.end()
    expect(await readAll(stream)).toEqual([{ message: '2' }])
  })

  test('ends when its signal fires, and at once if the signal has already fired', async () => {
    const hub = new EventHub()
    const abort = new AbortController()
    const reading = readAll(hub.stream({ signal: abort.signal }))
    abort.abort()
    expect(await reading).toEqual([])
    expect(await readAll(hub.stream({ signal: abort.signal }))).toEqual([])
  })

  test('receives nothing after its reader has left', async () => {
    const hub = new EventHub()
    const stream = hub.stream()
    hub.emit(warning(1))
    for await (const _ of stream) break
    hub.emit(warning(2))
    expect(await stream.next()).toEqual({ value: undefined, done: true })
  })
})
