import type { FleetEvent } from '../model/events.ts'
import type { Operation } from '../model/plan.ts'
import { Collector } from './collect.ts'
import { describeCall } from './describe-call.ts'
import type { CallTimeline } from './timeline-model.ts'

export type Told = readonly [atMs: number, ...events: FleetEvent[]]

export type Ended = Partial<Pick<CallTimeline, 'call' | 'totalMs' | 'outcome' | 'message'>>

/** For tests: describes a call from its events, each with its time in milliseconds since the call began. */
export function describeTold(told: readonly Told[], ended: Ended = {}): CallTimeline {
  const collector = new Collector()
  for (const [atMs, ...events] of told) for (const event of events) collector.note(event, atMs)
  return describeCall(collector.read(), {
    call: 'up',
    version: '1.2.3',
    startedAt: new Date(0),
    totalMs: told.at(-1)?.[0] ?? 0,
    outcome: 'ok',
    message: undefined,
    ...ended,
  })
}

export const phase = (name: Extract<FleetEvent, { kind: 'phaseBegan' }>['phase']): FleetEvent => ({
  kind: 'phaseBegan',
  phase: name,
})
export const began = (operation: Operation): FleetEvent => ({ kind: 'operationBegan', operation })
export const ended = (operation: Operation, hasFailed = false): FleetEvent => ({
  kind: 'operationEnded',
  operation,
  hasFailed,
})
export const answer = (server: string, check: string, text: string | undefined, tookMs?: number): FleetEvent => ({
  kind: 'waiting',
  server,
  check,
  answer: text,
  ...(tookMs !== undefined && { tookMs }),
})
export const ready = (server: string): FleetEvent => ({
  kind: 'ready',
  server,
  elapsedMs: 0,
  isKept: false,
  isCompleted: false,
})

/** Operations of a server that is created, started and waited for. */
export function operationsOf(server: string, ...needs: string[]) {
  return {
    create: { id: `create ${server}`, needs, kind: 'createServer', server },
    start: { id: `start ${server}`, needs: [`create ${server}`], kind: 'startServer', server, reason: 'new' },
    ready: { id: `ready ${server}`, needs: [`start ${server}`], kind: 'awaitReady', server },
  } as const satisfies Record<string, Operation>
}

export const [db, web] = [operationsOf('db', 'network'), operationsOf('web', 'network', 'ready db')]
export const network = { id: 'network', needs: [], kind: 'createNetwork' } as const satisfies Operation
const save = { id: 'record', needs: ['ready db', 'ready web'], kind: 'saveRecord', updates: [] } as const

/** Two servers; web waits for db. It takes 4.1 s, and the ready checks of db take 2.2 s of them. */
export const twoServers: readonly Told[] = [
  [60, phase('sweep')],
  [80, { kind: 'sessionChosen', session: 'shop' }, phase('plan')],
  [200, phase('begin')],
  [
    300,
    {
      kind: 'planned',
      plan: { session: 'shop', operations: [network, ...Object.values(db), ...Object.values(web), save] },
    },
    phase('carryOut'),
    began(network),
  ],
  [400, ended(network), began(db.create)],
  [500, ended(db.create), began(db.start)],
  [900, ended(db.start), began(db.ready), answer('db', 'postgres :5432', undefined)],
  [1000, answer('db', 'postgres :5432', 'connection refused', 4)],
  [2000, answer('db', 'postgres :5432', 'the database system is starting up', 8)],
  [3100, { kind: 'holds', server: 'db', check: 'postgres :5432', tookMs: 10 }, ready('db'), ended(db.ready)],
  [3100, began(web.create)],
  [3200, ended(web.create), began(web.start)],
  [3500, ended(web.start), began(web.ready), answer('web', 'http :80/', undefined)],
  [4000, { kind: 'holds', server: 'web', check: 'http :80/', tookMs: 2 }, ready('web'), ended(web.ready), began(save)],
  [4050, ended(save), phase('finish')],
  [4100],
]
