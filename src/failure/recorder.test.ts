import { describe, expect, test } from 'vitest'
import type { FleetEvent } from '../model/events.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { createBoundedList } from './bounded-list.ts'
import { hiddenValues, Recorder } from './recorder.ts'

function record(...events: FleetEvent[]): { recorder: Recorder; told: FleetEvent[] } {
  let now = 1000
  const told: FleetEvent[] = []
  const recorder = new Recorder({ now: () => now++ })
  const onEvent = recorder.listen((event) => told.push(event))
  for (const event of events) onEvent(event)
  return { recorder, told }
}

const image = { reference: 'testfleet/shop-web:1f', servers: ['web', 'api'] }

describe('the recorder', () => {
  test('passes on every event', () => {
    const events: FleetEvent[] = [
      { kind: 'starting', server: 'web' },
      { kind: 'buildOutput', ...image, line: 'hello' },
    ]
    expect(record(...events).told).toEqual(events)
  })

  test('masks the secrets of the fleet in the output of commands in a server', () => {
    const { recorder, told } = record()
    const secrets = new Map([['db', new Map([['PASSWORD', 'correct-horse']])]])
    const fleet = { servers: new Map() } as unknown as Fleet
    recorder.begin({
      fleet,
      plan: { session: 's', operations: [] },
      images: new Map(),
      secrets,
      certificates: new Map(),
    })
    const line = 'logged in with correct-horse'
    recorder.listen((event) => told.push(event))({ kind: 'hookOutput', server: 'db', hook: 'postStart', line })
    const masked = { kind: 'hookOutput', server: 'db', hook: 'postStart', line: 'logged in with ***' }
    expect([told, recorder.events.first.map(({ what }) => what)]).toEqual([[masked], [masked]])
    const hook = { kind: 'hook', server: 'db', hook: 'postStart', number: 1, total: 1 } as const
    const step = { number: 1, total: 1, text: 'RUN login correct-horse', isCached: false }
    told.length = 0
    recorder.listen((event) => told.push(event))({ ...hook, command: 'login correct-horse' })
    recorder.listen((event) => told.push(event))({ kind: 'building', reference: 'r', servers: ['db'], step })
    expect(told).toMatchObject([{ command: 'login ***' }, { step: { text: 'RUN login ***' } }])
  })

  test('continues when its listener throws, and keeps the first error', () => {
    const [first, failure] = [new Error('first'), new Error('the call failed')]
    const recorder = new Recorder()
    const told: string[] = []
    const onEvent = recorder.listen(({ kind }) => {
      told.push(kind)
      throw told.length === 1 ? first : new Error('later')
    })
    expect(recorder.addThrown(failure)).toBe(failure)
    onEvent({ kind: 'rollingBack', servers: ['web'] })
    onEvent({ kind: 'removed', server: 'web' })
    expect(told).toEqual(['rollingBack', 'removed'])
    expect(recorder.thrown.reason).toBe(first)
    expect(recorder.addThrown(first)).toBe(first)
    expect(recorder.addThrown(failure)).toMatchObject({ errors: [failure, first] })
  })

  test('notes the names of operations, without the content of builds', () => {
    const operation = { id: 'start web', needs: [], kind: 'startServer', server: 'web', reason: 'new' } as const
    const { recorder, told } = record(
      { kind: 'operationBegan', operation },
      { kind: 'operationEnded', operation, hasFailed: true },
    )
    expect(recorder.events.first.map(({ what }) => what)).toEqual([
      { kind: 'operationBegan', operation: 'start web' },
      { kind: 'operationEnded', operation: 'start web', hasFailed: true },
    ])
    expect(told[0]).toMatchObject({ operation: { kind: 'startServer' } })
  })

  test('records the time of each answer of a check, and the last answer', () => {
    const { recorder } = record(
      { kind: 'waiting', server: 'web', check: 'http :80/', answer: undefined },
      { kind: 'waiting', server: 'web', check: 'http :80/', answer: 'refused' },
      { kind: 'waiting', server: 'db', check: 'tcp :1', answer: 'refused' },
      { kind: 'holds', server: 'web', check: 'http :80/' },
    )
    expect(recorder.probesOf('web')?.first).toEqual([
      { atMs: 1001, what: { check: 'http :80/', answer: 'asked for the first time' } },
      { atMs: 1002, what: { check: 'http :80/', answer: 'refused' } },
      { atMs: 1004, what: { check: 'http :80/', answer: 'passes' } },
    ])
    expect([...recorder.lastAnswersOf('web')]).toEqual([['http :80/', 'passes']])
    expect(recorder.probesOf('other')).toBeUndefined()
  })

  test('keeps the output of a build for every server that uses the image', () => {
    const step = { number: 1, total: 2, text: 'from debian', isCached: true }
    const { recorder } = record({ kind: 'building', ...image, step }, { kind: 'buildOutput', ...image, line: 'hello' })
    for (const server of image.servers) {
      const lines = recorder
        .buildsOf(server)
        .get(image.reference)
        ?.first.map(({ what }) => what)
      expect(lines).toEqual(['[1/2] from debian (cached)', 'hello'])
    }
    expect(recorder.buildsOf('db').size).toBe(0)
  })

  test('keeps the beginning and end of long output, and counts the rest', () => {
    const line = 'x'.repeat(9_990)
    const events = Array.from({ length: 500 }, (_, index): FleetEvent => {
      return { kind: 'buildOutput', ...image, line: `${String(index).padStart(10)}${line}` }
    })
    const kept = record(...events)
      .recorder.buildsOf('web')
      .get(image.reference)
    const count = (kept?.first.length ?? 0) + (kept?.last.length ?? 0)
    expect(count).toBeLessThanOrEqual(200)
    expect(count + (kept?.droppedCount ?? 0)).toBe(500)
    expect(kept?.first[0]?.what.trim()).toMatch(/^0x/)
    expect(kept?.last.at(-1)?.what.trim()).toMatch(/^499x/)
  })
})

test('a password written in the fleet file is not masked, but every other password is', () => {
  const origins = new Map([
    ['OPEN', { kind: 'value', text: 'guest' }],
    ['MADE', { kind: 'generate', length: 24 }],
  ] as const)
  const values = new Map([
    ['OPEN', 'guest'],
    ['MADE', 'kept'],
    ['OLD', 'former'],
  ])
  expect(hiddenValues(values, { secrets: origins } as unknown as Server)).toEqual(['kept', 'former'])
  expect(hiddenValues(values, undefined)).toEqual(['guest', 'kept', 'former'])
})

test('a bounded list keeps its order when it overflows many times', () => {
  const list = createBoundedList<number>(400, () => 1)
  for (let number = 0; number < 10_000; number += 1) list.add(number)
  const { first, droppedCount, last } = list.read()
  expect(first).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(last).toEqual(Array.from({ length: 300 }, (_, index) => 9_700 + index))
  expect(droppedCount).toBe(9_600)
})
