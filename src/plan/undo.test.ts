import { expect, test } from 'vitest'
import { label } from '../model/labels.ts'
import type { Change } from '../model/session.ts'
import { formatPlan } from './format-plan.ts'
import { planUndo } from './undo.ts'

const made = (id: string, server: string) => ({ id, name: `s-${server}-c`, labels: { [label.server]: server } })
const nothing = { servers: [], networks: [], volumes: [] }

test('removes created servers before it starts the ones set aside, in the order of their dependencies', () => {
  const replaced = [
    { server: 'client', container: 'old client', ran: true },
    { server: 'web', container: 'old web', ran: true },
    { server: 'idle', container: 'old idle', ran: false },
  ]
  const created = { servers: [made('new web', 'web')], networks: [{ id: 'n' }], volumes: [{ id: 'v' }] }
  const specs = { client: { dependsOn: ['web', 'db'] }, web: { dependsOn: [] }, idle: { dependsOn: [] } }
  const plan = planUndo('s', { replaced }, created, specs)
  expect(formatPlan(plan)).toBe(
    [
      'session s',
      '  remove  web: the call failed',
      '  remove  network',
      '  remove  volume v',
      '  start   web: put back',
      '  start   client: put back',
      '5 changes.',
      '',
    ].join('\n'),
  )
  const needs = Object.fromEntries(plan.operations.map(({ id, needs }) => [id, needs]))
  expect(needs['remove n']).toEqual(['remove new web'])
  expect(needs['start web']).toEqual(['remove new web'])
  expect(needs['start client']).toEqual(['remove new web', 'ready web'])
})

test('stops again what the change had resumed, and pauses again what was paused', () => {
  const resumed = [
    { server: 'db', container: 'd', wasPaused: false },
    { server: 'web', container: 'w', wasPaused: true },
  ]
  const { operations } = planUndo('s', { replaced: [], resumed }, { servers: [], networks: [], volumes: [] }, {})
  expect(operations).toMatchObject([
    { kind: 'haltServer', server: 'db', container: 'd', wasPaused: false },
    { kind: 'haltServer', server: 'web', container: 'w', wasPaused: true },
  ])
})

test('ends a graceful server before those that it depends on, whether they are removed or only stopped', () => {
  const resumed = [{ server: 'cache', container: 'old cache', wasPaused: false }]
  const created = { servers: [made('new db', 'db'), made('new app', 'app')], networks: [], volumes: [] }
  const starting = { app: { dependsOn: ['db', 'cache'] } } as unknown as Change['starting']
  const { operations } = planUndo('s', { replaced: [], resumed, starting }, created, {}, [{ id: 'new app' }])
  expect(operations.map(({ id, needs }) => [id, needs])).toEqual([
    ['remove new app', []],
    ['remove new db', ['remove new app']],
    ['halt cache', ['remove new app']],
  ])
})

test('is empty when the change did nothing', () => {
  expect(planUndo('s', { replaced: [] }, nothing, {}).operations).toEqual([])
})

test('terminates when servers are recorded as depending on each other', () => {
  const replaced = ['a', 'b'].map((server) => ({ server, container: server, ran: true }))
  const specs = { a: { dependsOn: ['b'] }, b: { dependsOn: ['a'] } }
  expect(planUndo('s', { replaced }, nothing, specs).operations).toHaveLength(4)
})
