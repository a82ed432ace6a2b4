import { describe, expect, test } from 'vitest'
import type { TestfleetEvent } from '../api/events.ts'
import { mapEvent } from '../api/map-event.ts'
import type { FleetEvent } from '../model/events.ts'
import { choosePalette } from './palette.ts'
import { openPlainProgress } from './plain-progress.ts'

const envelope = { time: '2026-01-01T00:00:00.000Z', session: 'shop', operation: { id: '1', name: 'up' } }

function show(events: readonly FleetEvent[], isVerbose = false): string[] {
  const lines: string[] = []
  const progress = openPlainProgress((text) => lines.push(text), choosePalette(false, false, {}), isVerbose)
  for (const event of events) progress.onEvent({ ...envelope, ...mapEvent(event) } as TestfleetEvent)
  return lines
}

describe('a line of progress', () => {
  test.each<[FleetEvent, string]>([
    [{ kind: 'starting', server: 'web' }, 'web: starting'],
    [{ kind: 'stopping', server: 'web' }, 'web: stopping'],
    [{ kind: 'removing', server: 'web' }, 'web: removing'],
    [{ kind: 'ready', server: 'web', elapsedMs: 1200, isKept: false, isCompleted: false }, 'web: ready in 1.2 s'],
    [{ kind: 'ready', server: 'web', elapsedMs: 1, isKept: true, isCompleted: false }, 'web: ready (unchanged)'],
    [{ kind: 'ready', server: 'seed', elapsedMs: 1, isKept: true, isCompleted: true }, 'seed: completed (unchanged)'],
    [{ kind: 'skipped', server: 'app', because: 'db' }, 'app: not started because db failed'],
    [{ kind: 'rollingBack', servers: ['db', 'web'] }, 'removing what was started: db, web'],
    [
      { kind: 'kept', session: 'shop', servers: ['db'] },
      'session shop is kept; remove it with: testfleet down --session shop',
    ],
    [
      { kind: 'queued', session: 'shop', behind: 'process 7' },
      'session shop: waiting until process 7 has finished its change',
    ],
    [
      { kind: 'swept', session: 'shop', servers: ['web'], back: ['db'] },
      'session shop: cleaned up after a dead process: removed web; put back db',
    ],
    [{ kind: 'warned', message: 'no keeper' }, 'warning: no keeper'],
    [{ kind: 'noted', message: '1 of 2 standby copies ready' }, '1 of 2 standby copies ready'],
  ])('describes each event (%o)', (event, line) => {
    expect(show([event])).toEqual([`${line}\n`])
  })

  test('is not repeated, and details are printed only with --verbose', () => {
    const waiting: FleetEvent = { kind: 'waiting', server: 'web', check: 'tcp :80', answer: 'refused\nagain' }
    expect(show([waiting, waiting])).toEqual([])
    expect(show([waiting, waiting], true)).toEqual(['web: waiting for tcp :80: refused again\n'])
  })
})
