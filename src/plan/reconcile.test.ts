import { describe, expect, test } from 'vitest'
import type { Server } from '../model/fleet.ts'
import type { Observed, ObservedServer } from '../model/observed.ts'
import type { Desired, DesiredImage, PreparedBuild } from '../model/plan.ts'
import type { ServerSpec } from '../model/session.ts'
import { formatPlan } from './format-plan.ts'
import { reconcile } from './reconcile.ts'

function server(name: string, dependsOn: string[] = [], volumes: string[] = []): Server {
  const mounts = volumes.map((volume) => ({ kind: 'volume', volume, to: '/data', writable: true }) as const)
  const runs = { kind: 'container' }
  return { name, runs, dependsOn, mounts, preStart: [], postStart: [] } as unknown as Server
}

const spec: ServerSpec = {
  hostname: '',
  aliases: [],
  dependsOn: [],
  ports: [],
  ready: [],
  readyTimeoutMs: 60_000,
  export: {},
  secrets: [],
  authority: undefined,
}

const present: DesiredImage = { kind: 'named', reference: 'a:1', platform: undefined, isPresent: true }

function build(
  reference: string,
  digest: string,
  isPresent: boolean,
  base?: PreparedBuild,
): DesiredImage & { kind: 'built' } {
  return { kind: 'built', build: { reference, digest, isPresent, base } as PreparedBuild }
}

function desire(servers: readonly [Server, DesiredImage?, string?][], isWholeFleet = true): Desired {
  const entries = servers.map(
    ([one, image = present, digest = `digest of ${one.name}`]) =>
      [
        one.name,
        { server: one, image, digest, spec: { ...spec, dependsOn: one.dependsOn }, needsFiles: false },
      ] as const,
  )
  return { session: 's', isWholeFleet, isRecordNew: false, servers: new Map(entries) }
}

function running(name: string, changes: Partial<ObservedServer> = {}): ObservedServer {
  return {
    name,
    container: `id of ${name}`,
    image: 'a:1',
    digest: `digest of ${name}`,
    state: 'running',
    isStopped: false,
    spec,
    changedSecrets: [],
    ...changes,
  }
}

function observe(servers: ObservedServer[], volumes: string[] = []): Observed {
  return {
    hasNetwork: servers.length > 0,
    createsBeforeNetwork: true,
    volumes,
    servers: new Map(servers.map((one) => [one.name, one])),
  }
}

const planText = (desired: Desired, observed: Observed): string => formatPlan(reconcile(desired, observed))

describe('reconcile', () => {
  test('starts a process again when what it was given has changed', () => {
    const app = { ...server('app'), runs: { kind: 'process', command: ['a'], folder: '/' } } as unknown as Server
    const now = (hasOldVariables: boolean) => observe([running('app', { hasOldVariables })])
    const desired = desire([[app, { kind: 'none' }]])
    expect(planText(desired, now(false))).toContain('Nothing to do.')
    const reason = 'what it depends on has another address or other exports'
    expect(planText(desired, now(true))).toContain(`  start   app: ${reason}\n`)
  })

  test('stops a graceful server before those that it depends on', () => {
    const gone = (isGraceful: boolean): Observed =>
      observe([running('db'), running('app', { isGraceful, spec: { ...spec, dependsOn: ['db'] } })])
    const stopsOf = (now: Observed) =>
      reconcile(desire([]), now).operations.flatMap(({ id, kind, needs }) =>
        kind === 'stopServer' ? [[id, needs]] : [],
      )
    expect(stopsOf(gone(true))).toEqual([
      ['stop app', []],
      ['stop db', ['stop app']],
    ])
    expect(stopsOf(gone(false))).toEqual([
      ['stop db', []],
      ['stop app', []],
    ])
  })

  test('uses an external server without a start, and never stops one', () => {
    const none: DesiredImage = { kind: 'none' }
    const url = 'http://h:80'
    const external = { ...server('db'), runs: { kind: 'external', url, addresses: [] } } as unknown as Server
    const known = { ...spec, external: { url: 'http://old', addresses: [], digest: 'old' } }
    const desired = desire([[external, none], [server('web', ['db'])]])
    expect(planText(desired, observe([]))).toContain(`  use     db: external, ${url}\n  start   web: not running\n`)
    const moved = observe([running('db', { digest: 'old', image: 'http://old', spec: known }), running('web')])
    expect(planText(desired, moved)).toBe(
      [
        'session s',
        '  stop    web: depends on db, which is started again; set aside until everything else is ready',
        `  use     db: external, ${url}`,
        '  start   web: depends on db, which is started again',
        '  remove  web: depends on db, which is started again',
        '4 changes.',
        '',
      ].join('\n'),
    )
    const left = observe([running('web'), running('old', { spec: known })])
    expect(planText(desire([[server('web')]]), left)).toContain('  update  old: no longer in the fleet\n')
  })

  test('starts a new fleet: images, network, volumes, then each server after what it depends on', () => {
    const base = build('testfleet/f:b1', 'b1', false).build
    const desired = desire([
      [server('proxy', ['web']), build('testfleet/f-proxy:p1', 'p1', false, base)],
      [server('web', [], ['data']), build('testfleet/f-web:w1', 'w1', false, base)],
      [server('db'), { kind: 'named', reference: 'db:1', platform: undefined, isPresent: false }],
    ])
    expect(planText(desired, observe([]))).toBe(
      [
        'session s',
        '  pull    db:1 (for db)',
        '  build   testfleet/f:b1 (for proxy, web)',
        '  build   testfleet/f-proxy:p1 (for proxy)',
        '  build   testfleet/f-web:w1 (for web)',
        '  create  network',
        '  create  volume data',
        '  start   web: not running',
        '  start   proxy: not running',
        '  start   db: not running',
        '9 changes.',
        '',
      ].join('\n'),
    )
    const needs = Object.fromEntries(reconcile(desired, observe([])).operations.map(({ id, needs }) => [id, needs]))
    expect(needs['build p1']).toEqual(['build b1'])
    expect(needs['create web']).toEqual(['volume data', 'build w1'])
    expect(needs['start web']).toEqual(['create web', 'network'])
    expect(needs['create proxy']).toEqual(['ready web', 'build p1'])
    expect(needs['start proxy']).toEqual(['create proxy', 'network'])
    expect(needs['create db']).toEqual(['pull db:1'])
    expect(needs.record).toEqual(expect.arrayContaining(['ready web', 'ready proxy', 'ready db']))
  })

  test('runs commands before a start, and after it before the server is ready', () => {
    const hook = (...command: string[]) => ({ command, environment: {}, timeoutMs: 1000 })
    const db = { ...server('db'), preStart: [hook('a')], postStart: [hook('b', '1'), hook('c')] } as unknown as Server
    const desired = desire([[db], [server('web', ['db'])]])
    expect(planText(desired, observe([]))).toContain(
      [
        '  run     db: preStart a',
        '  start   db: not running',
        '  run     db: postStart b 1',
        '  run     db: postStart c',
        '  start   web: not running',
      ].join('\n'),
    )
    const needs = Object.fromEntries(reconcile(desired, observe([])).operations.map(({ id, needs }) => [id, needs]))
    expect(needs['preStart db']).toEqual(['create db', 'network'])
    expect(needs['start db']).toEqual(['preStart db', 'network'])
    expect(needs['ready db']).toEqual(['checks db'])
    expect(needs['create web']).toContain('ready db')
    expect(planText(desired, observe([running('db'), running('web')]))).not.toContain('run ')
    const kept = running('db', { spec: { ...spec, isUnfinished: true } })
    expect(planText(desired, observe([kept, running('web')]))).toContain('  start   db: postStart did not complete\n')
  })

  test('creates servers after the network for an engine that needs it, and waits for none that is there', () => {
    const desired = desire([[server('web')]])
    const needsOf = (changes: Partial<Observed>): object => {
      const { operations } = reconcile(desired, { ...observe([]), ...changes })
      return Object.fromEntries(operations.map(({ id, needs }) => [id, needs]))
    }
    const before = needsOf({ createsBeforeNetwork: false })
    expect(before).toMatchObject({ 'create web': ['network'], 'start web': ['create web', 'network'] })
    expect(needsOf({ hasNetwork: true })).toMatchObject({ 'create web': [], 'start web': ['create web'] })
  })

  test('has nothing to do when everything is as desired', () => {
    const desired = desire([[server('web')], [server('proxy', ['web'])]])
    expect(
      planText(desired, observe([running('web'), running('proxy', { spec: { ...spec, dependsOn: ['web'] } })])),
    ).toBe('session s\n  keep    web\n  keep    proxy\nNothing to do.\n')
  })

  test('replaces a changed server and the servers that depend on it, and no other', () => {
    const desired = desire([[server('web')], [server('proxy', ['web'])], [server('client', ['proxy'])], [server('db')]])
    const now = observe([running('web', { digest: 'another' }), running('proxy'), running('client'), running('db')])
    expect(planText(desired, now)).toBe(
      [
        'session s',
        '  stop    web: configuration changed; set aside until everything else is ready',
        '  stop    proxy: depends on web, which is started again; set aside until everything else is ready',
        '  stop    client: depends on proxy, which is started again; set aside until everything else is ready',
        '  start   web: configuration changed',
        '  start   proxy: depends on web, which is started again',
        '  start   client: depends on proxy, which is started again',
        '  keep    db',
        '  remove  web: configuration changed',
        '  remove  proxy: depends on web, which is started again',
        '  remove  client: depends on proxy, which is started again',
        '9 changes.',
        '',
      ].join('\n'),
    )
  })

  test('names the image when a server gets another one', () => {
    const now = observe([running('web', { digest: 'another', image: 'testfleet/f-web:w1' }), running('db')])
    const desired = desire([[server('web'), build('testfleet/f-web:w2', 'w2', false)], [server('db')]])
    expect(planText(desired, now)).toContain('start   web: image changed: testfleet/f-web:w2\n')
  })

  test.each([
    ['external', 'container', 'was external, now a container'],
    ['container', 'external', 'was a container, now external'],
    ['process', 'container', 'was a process, now a container'],
    ['external', 'process', 'was external, now a process'],
    ['external', 'external', 'no longer at http://old'],
  ] as const)('says what changed when a server goes from %s to %s', (before, after, reason) => {
    const ways = {
      container: [server('db'), build('testfleet/f-db:2', '2', true)],
      process: [{ ...server('db'), runs: { kind: 'process', command: ['a'], folder: '/' } }, { kind: 'none' }],
      external: [{ ...server('db'), runs: { kind: 'external', url: 'http://h', addresses: [] } }, { kind: 'none' }],
    } as unknown as Record<typeof before, [Server, DesiredImage]>
    const known = {
      container: { image: 'testfleet/f-db:1' },
      process: { container: 'process-1', image: '/usr/bin/db' },
      external: {
        image: 'http://old',
        spec: { ...spec, external: { url: 'http://old', addresses: [], digest: 'old' } },
      },
    }[before]
    const plan = reconcile(desire([[...ways[after], 'another']]), observe([running('db', { digest: 'old', ...known })]))
    expect(plan.operations.find(({ kind }) => kind === 'startServer')).toMatchObject({ reason })
    const stop = before === 'external' ? undefined : expect.objectContaining({ reason })
    expect(plan.operations.find(({ kind }) => kind === 'stopServer')).toEqual(stop)
  })

  test('stops running servers only after every image is available', () => {
    const desired = desire([[server('web'), build('testfleet/f-web:w2', 'w2', false), 'another'], [server('db')]])
    const { operations } = reconcile(desired, observe([running('web'), running('db')]))
    expect(operations.find(({ id }) => id === 'stop web')?.needs).toEqual(['build w2'])
    expect(operations.find(({ id }) => id === 'create web')?.needs).toEqual(['stop web', 'build w2'])
    expect(operations.find(({ id }) => id === 'remove web')?.needs).toEqual(['record'])
  })

  test('replaces a server that has exited, and keeps one that has completed', () => {
    const desired = desire([[server('seed')], [server('web')]])
    const now = observe([running('seed', { state: 'completed' }), running('web', { state: 'exited' })])
    expect(planText(desired, now)).toContain('keep    seed (completed)')
    expect(planText(desired, now)).toContain('stop    web: exited')
    expect(planText(desired, now)).toContain('start   web: exited')
  })

  test('starts the containers of servers that a call has stopped or paused, each once its dependencies are ready', () => {
    const desired = desire([[server('web', ['db'])], [server('db')], [server('other', ['db'])]])
    const now = observe([
      running('db', { state: 'exited', isStopped: true }),
      running('web', { state: 'paused' }),
      running('other', { spec: { ...spec, dependsOn: ['db'] } }),
    ])
    const stopped = { kind: 'resumeServer', container: 'id of db', wasPaused: false }
    const { operations } = reconcile(desired, now)
    expect(operations.find(({ id }) => id === 'start db')).toMatchObject({ ...stopped, needs: [] })
    expect(operations.find(({ id }) => id === 'start web')).toMatchObject({ wasPaused: true, needs: ['ready db'] })
    const text = planText(desired, now)
    expect(text).toContain('start   db: stopped\n')
    expect(text).toContain('start   web: paused\n')
    expect(text).toContain('keep    other\n')
    expect(text).not.toMatch(/create|remove|set aside/)
  })

  test('replaces a stopped server whose declaration has changed', () => {
    const stopped = running('web', { state: 'exited', isStopped: true, digest: 'another' })
    const text = planText(desire([[server('web')]]), observe([stopped]))
    expect(text).toContain('start   web: configuration changed')
    expect(text).toContain('remove  web')
  })

  test('replaces a server when a file that is mounted into it has changed, and names the file', () => {
    const before = running('web', { spec: { ...spec, mountDigests: { 'app.conf': 'a', site: 'b' } } })
    const mounting = (mountDigests: Record<string, string>): Desired => {
      const one = { server: server('web'), image: present, digest: 'digest of web', needsFiles: false }
      return { ...desire([]), servers: new Map([['web', { ...one, spec: { ...spec, mountDigests } }]]) }
    }
    expect(planText(mounting({ 'app.conf': 'a2', site: 'b' }), observe([before]))).toContain(
      'start   web: mounted app.conf changed',
    )
    expect(planText(mounting({ 'app.conf': 'a', site: 'b' }), observe([before]))).not.toContain('start')
    // The record of an earlier version has no digest of the file.
    const plan = planText(mounting({ 'app.conf': 'a2' }), observe([running('web')]))
    expect(plan).not.toContain('start ')
    expect(plan).toContain('record changed')
  })

  test('replaces a server whose secret has changed', () => {
    expect(planText(desire([[server('db')]]), observe([running('db', { changedSecrets: ['KEY'] })]))).toContain(
      'start   db: secret KEY changed',
    )
  })

  test('removes servers that the fleet no longer has, but only when the whole fleet is brought up', () => {
    const now = observe([running('web'), running('old')])
    expect(planText(desire([[server('web')]]), now)).toContain('remove  old: no longer in the fleet')
    expect(planText(desire([[server('web')]], false), now)).not.toContain('old')
  })

  test.each([
    ['export', { export: { URL: 'x' } }, 'exports changed'],
    ['ready', { ready: [{ kind: 'healthcheck' }] }, 'ready checks changed'],
    ['readyTimeout', { readyTimeoutMs: 1 }, 'readyTimeout changed'],
    ['dependsOn', { dependsOn: ['old'] }, 'dependencies changed'],
    ['two of them', { readyTimeoutMs: 1, export: { A: 'b' } }, 'readyTimeout and exports changed'],
  ] as const)('updates the record and keeps the container when only %s has changed', (_, change, words) => {
    const now = observe([running('db', { spec: { ...spec, ...change } as ServerSpec })])
    expect(planText(desire([[server('db')]]), now)).toBe(`session s\n  keep    db\n  update  db: ${words}\n1 change.\n`)
  })

  test('builds images of equal content once, under all their names', () => {
    const desired = desire([
      [server('a'), build('testfleet/f-a:x', 'x', false)],
      [server('b'), build('testfleet/f-b:x', 'x', false)],
    ])
    expect(planText(desired, observe([]))).toContain('build   testfleet/f-a:x, testfleet/f-b:x (for a, b)')
  })

  test('creates only the volumes that are missing', () => {
    const desired = desire([[server('a', [], ['old', 'new'])]])
    const text = planText(desired, { ...observe([], ['old']), hasNetwork: true })
    expect(text).toContain('create  volume new')
    expect(text).not.toContain('volume old')
  })
})

describe('formatPlan', () => {
  test('lists the packages of existing images before the changes', () => {
    const plan = reconcile(desire([[server('db'), present]]), observe([]))
    const images = [
      { reference: 'db:1', packages: {} },
      { reference: 'testfleet/f-web:w1', packages: { apache2: '2.4.62-1~deb12u1', curl: '7.88.1-10' } },
    ]
    expect(formatPlan(plan, images).split('\n').slice(0, 3)).toEqual([
      'session s',
      '  image   testfleet/f-web:w1 (apache2 2.4.62-1~deb12u1, curl 7.88.1-10)',
      '  create  network',
    ])
  })
})
