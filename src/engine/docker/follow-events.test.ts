import { describe, expect, test } from 'vitest'
import { fakeDocker } from '../../../tests/support/fake-engine.ts'
import type { FollowRange } from '../../model/container-event.ts'
import type { Engine } from '../engine.ts'
import { type EventJson, readEvent } from './follow-events.ts'

const line = (action: string, attributes: Record<string, string> = {}, more: object = {}): EventJson => ({
  Type: 'container',
  Action: action,
  Actor: { ID: 'c1', Attributes: { name: 'web-1', ...attributes } },
  time: 1_700_000_000,
  timeNano: 1_700_000_000_123_456_000,
  ...more,
})

describe('an event of a container', () => {
  test.each([
    ['create', {}, { kind: 'created' }],
    ['start', {}, { kind: 'started' }],
    ['pause', {}, { kind: 'paused' }],
    ['unpause', {}, { kind: 'resumed' }],
    ['kill', { signal: '15' }, { kind: 'signalled', signal: 'SIGTERM' }],
    ['kill', { signal: '35' }, { kind: 'signalled', signal: '35' }],
    ['kill', {}, { kind: 'signalled', signal: undefined }],
    ['die', { exitCode: '137' }, { kind: 'exited', exitCode: 137 }],
    ['oom', {}, { kind: 'outOfMemory' }],
    ['destroy', {}, { kind: 'removed' }],
    ['remove', {}, { kind: 'removed' }],
    ['health_status: healthy', {}, { kind: 'healthy' }],
    ['health_status: unhealthy', {}, { kind: 'unhealthy' }],
    ['health_status', { health_status: 'healthy' }, { kind: 'healthy' }],
  ])('%s %j is read', (action, attributes, change) => {
    expect(readEvent(line(action, attributes))).toMatchObject({ ...change, container: 'c1', name: 'web-1' })
  })

  test.each([
    line('exec_create: ls'),
    line('health_status: starting'),
    line('health_status'),
    line('attach'),
    line('start', {}, { Type: 'network' }),
    line('start', {}, { Actor: null }),
    {},
  ])('%j is left out', (json) => {
    expect(readEvent(json)).toBeUndefined()
  })

  test('has its time in milliseconds, also when the engine says it in seconds only', () => {
    expect(readEvent(line('start'))?.atMs).toBeCloseTo(1_700_000_000_123.456, 3)
    expect(readEvent(line('start', {}, { timeNano: null }))?.atMs).toBe(1_700_000_000_000)
  })
})

async function follow(engine: Engine, range: FollowRange, signal?: AbortSignal): Promise<string[]> {
  const kinds: string[] = []
  for await (const { kind } of engine.followEvents({ a: 'b' }, range, { signal })) kinds.push(kind)
  return kinds
}

describe.concurrent('a stream of events', () => {
  test('asks for the events of containers with the labels, from one time to another', async () => {
    await using fake = await fakeDocker((_, response) => {
      response.end(`${JSON.stringify(line('start'))}\n\nno json\n${JSON.stringify(line('die', { exitCode: '0' }))}`)
    })
    expect(await follow(fake.engine, { sinceMs: 1500.7, untilMs: 2000 })).toEqual(['started', 'exited'])
    const { searchParams } = new URL(fake.requests.at(-1)?.split(' ')[1] ?? '', 'http://engine')
    expect(Object.fromEntries(searchParams)).toEqual({
      since: '1.500000000',
      until: '2.001000000',
      filters: '{"label":["a=b"],"type":["container"]}',
    })
  })

  test('that the engine ends, or breaks off, fails with ENGINE_LOST', async () => {
    for (const end of ['end', 'destroy'] as const) {
      await using fake = await fakeDocker((_, response) => {
        response.write(`${JSON.stringify(line('start'))}\n`, () => response[end]())
      })
      await expect(follow(fake.engine, {})).rejects.toMatchObject({ code: 'ENGINE_LOST' })
    }
  })

  test('ends with its signal, also before the first event', async () => {
    const abort = new AbortController()
    await using fake = await fakeDocker(() => abort.abort(new Error('enough')))
    await expect(follow(fake.engine, {}, abort.signal)).rejects.toThrow('enough')
  })

  test('fails in time when it is to end and the engine does not end it', async () => {
    await using fake = await fakeDocker((_, response) => response.write(`${JSON.stringify(line('start'))}\n`))
    const events = fake.engine.followEvents({ a: 'b' }, { untilMs: Date.now() }, { timeoutMs: 100 })
    expect(await events[Symbol.asyncIterator]().next()).toMatchObject({ value: { kind: 'started' } })
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' })
  })

  test('refuses a line that is too long', async () => {
    await using fake = await fakeDocker((_, response) => response.end('x'.repeat(17 * 1024 * 1024)))
    await expect(follow(fake.engine, { untilMs: 1 })).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
  })
})
