import { describe, expect, test } from 'vitest'
import type { CallTimeline, Row } from './timeline-model.ts'
import { answer, began, db, describeTold, ended, network, phase, type Told, twoServers, web } from './told-call.ts'

const rowOf = ({ rows }: CallTimeline, name: string): Row | undefined => rows.find((row) => row.name === name)
const spansOf = (timeline: CallTimeline, name: string): string[] =>
  (rowOf(timeline, name)?.spans ?? []).map(({ title, fromMs, toMs }) => `${title} ${fromMs}-${toMs}`)

describe('the rows of a timeline', () => {
  const timeline = describeTold(twoServers)

  test('have everything that happened to a server, and for which server it waited', () => {
    expect(spansOf(timeline, 'db')).toEqual([
      'waiting for the network 300-400',
      'creating 400-500',
      'starting 500-900',
      'ready checks 900-3100',
    ])
    expect(spansOf(timeline, 'web')[0]).toBe('waiting for db to be ready 300-3100')
    expect(rowOf(timeline, 'web')?.spans[0]?.notes).toEqual([
      'db to be ready: after 3.1 s',
      'the network: after 400 ms',
    ])
    expect(rowOf(timeline, 'web')).toMatchObject({ state: 'ready after 4.0 s', readyMs: 4000 })
  })

  test('have each try of a ready check with its answer and its time', () => {
    const tries = [
      { fromMs: 996, toMs: 1000, answer: 'connection refused', isPassed: false },
      { fromMs: 1992, toMs: 2000, answer: 'the database system is starting up', isPassed: false },
      { fromMs: 3090, toMs: 3100, answer: 'passes', isPassed: true },
    ]
    expect(rowOf(timeline, 'db')?.checks).toMatchObject([
      { name: 'postgres :5432', fromMs: 900, toMs: 3100, isPassed: true, tries },
    ])
  })

  test('have what testfleet does itself', () => {
    expect(spansOf(timeline, 'testfleet')).toEqual([
      'reading the fleet file 0-60',
      'cleaning up after dead calls 60-80',
      'planning 80-200',
      'opening the session 200-300',
      'creating the network 300-400',
      'looking at all servers and saving the session 4000-4050',
      'ending the change 4050-4100',
    ])
  })

  test('have a row for an image of several servers, and the steps of a build', () => {
    const image = { reference: 'testfleet/shop-web:1', servers: ['web', 'api'] }
    const build = { id: 'build 1', needs: [], kind: 'buildImage', build: image, references: [], servers: image.servers }
    const create = { id: 'create web', needs: ['build 1'], kind: 'createServer', server: 'web' } as const
    const step = (number: number, isCached = false) => ({ number, total: 2, text: `step ${number}`, isCached })
    const built = describeTold([
      [0, phase('carryOut'), began(build as never), { kind: 'building', ...image, step: undefined }],
      [10, { kind: 'building', ...image, step: step(1) }],
      [20, { kind: 'building', ...image, step: step(1, true) }],
      [30, { kind: 'building', ...image, step: step(2) }],
      [90, { kind: 'recordingPackages', ...image }],
      [100, { kind: 'built', ...image, elapsedMs: 100 }, ended(build as never), began(create)],
      [120, ended(create)],
    ])
    expect(rowOf(built, image.reference)).toMatchObject({ kind: 'image', state: 'for web, api' })
    expect(rowOf(built, image.reference)?.spans[0]?.parts).toEqual([
      { title: '1/2 step 1 (cached)', fromMs: 10, toMs: 30 },
      { title: '2/2 step 2', fromMs: 30, toMs: 90 },
      { title: 'recording the packages', fromMs: 90, toMs: 100 },
    ])
    expect(spansOf(built, 'web')[0]).toBe(`waiting for the image ${image.reference} 0-100`)
    expect(built.path[0]).toMatchObject({
      title: `building the image ${image.reference}`,
      detail: '2/2 step 2 took 60 ms',
    })
  })

  test('have what is done while an image is baked, without the output of its commands', () => {
    const image = { reference: 'testfleet/shop-db/baked:1', servers: ['db'] }
    const bake = { id: 'bake db', needs: [], kind: 'bakeImage', ...image, reason: '', bake: {} } as never
    const create = { id: 'create db', needs: ['bake db'], kind: 'createServer', server: 'db' } as const
    const told = describeTold([
      [0, phase('carryOut'), began(bake), { kind: 'baking', ...image, status: undefined }],
      [10, { kind: 'baking', ...image, status: 'start db' }],
      [20, { kind: 'baking', ...image, status: '| CREATE TABLE' }],
      [60, { kind: 'baking', ...image, status: 'stop db' }],
      [90, { kind: 'baked', ...image, elapsedMs: 90 }, ended(bake), began(create)],
      [120, ended(create)],
    ])
    expect(rowOf(told, 'db')?.spans[0]?.parts).toEqual([
      { title: 'start db', fromMs: 10, toMs: 60 },
      { title: 'stop db', fromMs: 60, toMs: 90 },
    ])
    expect(told.path[0]).toMatchObject({ title: 'baking the image of db', detail: 'start db took 50 ms' })
  })

  test('have the commands of hooks', () => {
    const hooks = {
      id: 'ready db',
      needs: [],
      kind: 'runHooks',
      server: 'db',
      hook: 'postStart',
      commands: [],
    } as const
    const hook = { kind: 'hook', server: 'db', hook: 'postStart', total: 2 } as const
    const timeline = describeTold([
      [0, phase('carryOut'), began(hooks), { ...hook, number: 1, command: 'migrate' }],
      [30, { ...hook, number: 2, command: 'seed' }],
      [50, ended(hooks)],
    ])
    expect(rowOf(timeline, 'db')?.spans[0]?.parts).toEqual([
      { title: 'postStart migrate', fromMs: 0, toMs: 30 },
      { title: 'postStart seed', fromMs: 30, toMs: 50 },
    ])
  })
})

describe('the critical path', () => {
  test('goes back from the end of the call to its beginning, without a gap, and is summed up in words', () => {
    const { path, summary, rows } = describeTold(twoServers)
    expect(path.map(({ title, fromMs, toMs }) => `${title} ${fromMs}-${toMs}`)).toEqual([
      'reading the fleet file 0-60',
      'cleaning up after dead calls 60-80',
      'planning 80-200',
      'opening the session 200-300',
      'creating the network 300-400',
      'creating db 400-500',
      'starting db 500-900',
      "db's ready checks 900-3100",
      'creating web 3100-3200',
      'starting web 3200-3500',
      "web's ready checks 3500-4000",
      'looking at all servers and saving the session 4000-4050',
      'ending the change 4050-4100',
    ])
    expect(path.find(({ title }) => title === "db's ready checks")?.detail).toBe('postgres :5432 passed last')
    expect(summary).toBe("4.1 s, of which db's ready checks 2.2 s, web's ready checks 500 ms, and starting db 400 ms.")
    const critical = rows.flatMap(({ spans }) => spans.filter(({ isCritical }) => isCritical))
    expect(critical).toHaveLength(path.length)
  })

  test('ends with the operation that failed first, and with the undo', () => {
    const told: Told[] = [
      [0, phase('carryOut'), began(db.create), began(web.create)],
      [100, ended(db.create), began(db.start)],
      [500, ended(db.start, true)],
      [501, ended(web.create, true), { kind: 'failed', servers: ['db'], message: 'db ended' }, phase('bundle')],
      [600, phase('undo'), { kind: 'skipped', server: 'app', because: 'db' }],
      [610, { kind: 'stopping', server: 'db' }],
      [690, { kind: 'stopped', server: 'db' }],
      [700],
    ]
    const timeline = describeTold(told, { outcome: 'failed', message: 'db ended with exit code 7' })
    expect(timeline.path.map(({ title }) => title)).toEqual([
      'creating db',
      'starting db',
      'writing the failure bundle',
      'undoing what was started',
    ])
    expect(timeline.summary).toMatch(/^Failed after 700 ms: db ended with exit code 7\. Of that: starting db 400 ms, /)
    expect(rowOf(timeline, 'db')).toMatchObject({ state: 'failed' })
    expect(rowOf(timeline, 'db')?.spans.map(({ title, outcome }) => [title, outcome])).toEqual([
      ['creating', 'ok'],
      ['starting', 'failed'],
      ['stopping', 'ok'],
    ])
    expect(rowOf(timeline, 'web')).toMatchObject({ state: 'cancelled', spans: [{ outcome: 'cancelled' }] })
  })

  test('has the operations of each plan, when a call carries out one after another', () => {
    const timeline = describeTold([
      [0, phase('carryOut'), began(db.create)],
      [100, ended(db.create), phase('plan')],
      [120, phase('carryOut'), began(db.start)],
      [200, ended(db.start)],
    ])
    expect(timeline.path.map(({ title, fromMs, toMs }) => `${title} ${fromMs}-${toMs}`)).toEqual([
      'creating db 0-100',
      'planning 100-120',
      'starting db 120-200',
    ])
  })

  test('has the pull of a base image while the call plans', () => {
    const pull = { reference: 'debian:12', servers: ['db'] }
    const { path, rows } = describeTold([
      [10, phase('plan')],
      [20, { kind: 'pulling', ...pull, status: 'asking the registry' }],
      [820, { kind: 'pulled', ...pull, elapsedMs: 800 }],
      [830],
    ])
    expect(path.map(({ title }) => title)).toEqual([
      'reading the fleet file',
      'planning',
      'pulling debian:12',
      'planning',
    ])
    expect(rows.at(-1)).toMatchObject({ name: 'debian:12', state: 'for db', spans: [{ isCritical: true }] })
  })

  test('counts until the command of run begins', () => {
    const told: Told[] = [
      [0, phase('carryOut'), began(network)],
      [300, ended(network), phase('names')],
      [400, phase('command')],
      [60_400, phase('leave')],
      [60_900],
    ]
    expect(describeTold(told, { call: 'run' }).summary).toBe(
      '400 ms until the command started, of which creating the network 300 ms and giving the command its names 100 ms. The command ran for 1 min 0 s, and leaving took 500 ms.',
    )
  })

  test('is that of the phases when nothing was planned, as for a call that is cancelled early', () => {
    const told: Told[] = [[50, phase('sweep')], [90]]
    const { summary, rows } = describeTold(told, { outcome: 'cancelled', message: 'ended by SIGINT' })
    expect(summary).toBe(
      'Cancelled after 90 ms: ended by SIGINT. Of that: reading the fleet file 50 ms and cleaning up after dead calls 40 ms.',
    )
    expect(rows).toHaveLength(1)
  })
})

describe('the notes of a call', () => {
  test('are bounded: tries with the same answer are counted together, and long texts are cut', () => {
    const tries = Array.from({ length: 1000 }, (_, index): Told => [index * 10, answer('db', 'tcp :1', 'refused', 1)])
    const changing = Array.from(
      { length: 1000 },
      (_, index): Told => [index, answer('web', 'tcp :1', `no ${index}`, 1)],
    )
    const { rows } = describeTold([
      ...tries,
      ...changing,
      [1, began(db.ready), began(web.ready), answer('db', 'log "x"', 'y'.repeat(5000))],
      [10_000],
    ])
    const [counted, cut] = rows.find(({ name }) => name === 'db')?.checks ?? []
    expect(counted?.tries).toHaveLength(40)
    expect(counted?.tries.at(-1)).toMatchObject({ count: 961, toMs: 9990 })
    expect(cut?.tries[0]?.answer).toHaveLength(301)
    const other = rows.find(({ name }) => name === 'web')?.checks[0]
    expect(other?.tries).toHaveLength(80)
    expect(other?.tries.at(-1)).toMatchObject({ answer: 'no 999', count: 921 })
  })
})
