import { describe, expect, test } from 'vitest'
import { describeTold, twoServers } from './told-call.ts'
import { formatTrace } from './trace.ts'

interface Event {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly id?: number
  readonly cat?: string
  readonly args?: Record<string, unknown>
}

const trace = JSON.parse(formatTrace(describeTold(twoServers))) as {
  readonly traceEvents: readonly Event[]
  readonly displayTimeUnit: string
  readonly otherData: Record<string, unknown>
}
const slices = trace.traceEvents.filter(({ ph }) => ph === 'X')
const endOf = ({ ts, dur = 0 }: Event): number => ts + dur

describe('a trace', () => {
  test('has the fields that the Trace Event Format demands of each phase', () => {
    expect(trace.displayTimeUnit).toBe('ms')
    for (const event of trace.traceEvents) {
      expect(event).toMatchObject({ name: expect.any(String), pid: 1, tid: expect.any(Number), ts: expect.any(Number) })
      expect(['X', 'M', 'i', 's', 'f']).toContain(event.ph)
      expect(Number.isInteger(event.ts) && event.ts >= 0).toBe(true)
    }
    for (const { dur } of slices) expect(Number.isInteger(dur) && Number(dur) >= 0).toBe(true)
  })

  test('has a named thread for each row, each ready check and the critical path', () => {
    const names = trace.traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args?.name)
    expect(names).toEqual(['critical path', 'testfleet', 'db', 'db: postgres :5432', 'web', 'web: http :80/'])
    expect(slices.find(({ name }) => name === 'ready checks')).toMatchObject({ ts: 900_000, dur: 2_200_000 })
    expect(trace.otherData.summary).toMatch(/^4\.1 s, of which db's ready checks 2\.2 s/)
  })

  test('has slices that either contain each other or do not overlap, in each thread', () => {
    for (const one of slices) {
      for (const other of slices) {
        if (one.tid !== other.tid || one.ts > other.ts) continue
        expect(other.ts >= endOf(one) || endOf(other) <= endOf(one), `${one.name}, ${other.name}`).toBe(true)
      }
    }
  })

  test('has an arrow from what a server waited for, which begins and ends inside slices', () => {
    const arrows = trace.traceEvents.filter(({ ph }) => ph === 's' || ph === 'f')
    expect(arrows.length).toBeGreaterThan(0)
    for (const { id, tid, ts } of arrows) {
      expect(arrows.filter((one) => one.id === id).map(({ ph }) => ph)).toEqual(['s', 'f'])
      expect(slices.some((slice) => slice.tid === tid && slice.ts <= ts && ts <= endOf(slice))).toBe(true)
    }
  })
})
