import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { mainFile, ofItsOwn, removeFleetFolders, SOON_MS, startTestfleet } from '../support/command.ts'
import { Testfleet } from '../support/library.ts'
import { inspect, makeFleet, type StoryFleet } from '../support/story-fleet.ts'
import { readError } from '../support/test-fleet.ts'

const image = 'debian:bookworm-slim'
let fleet: StoryFleet

/** Counts its starts in a file, obeys TERM after a moment, and notes HUP. */
const counter = [
  'trap "echo hup >> /tmp/log" HUP',
  'trap "sleep 0.2; echo term >> /tmp/log; exit 0" TERM',
  'echo start >> /tmp/log',
  'echo up',
  'while :; do sleep 0.2; done',
].join('; ')

beforeAll(async () => {
  fleet = await makeFleet({
    db: {
      image,
      command: ['sh', '-c', counter],
      ports: [5000],
      ready: [{ log: 'up' }],
      export: { DB_AT: '${host}:${port.5000}' },
    },
    web: { image, command: ['sleep', '600'], init: true, dependsOn: ['db'] },
    seed: { image, command: ['true'], ready: [{ exit: 0 }] },
  })
  await fleet.done(['up'])
})

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

const log = async (): Promise<string[]> => (await fleet.exec('db', 'cat', '/tmp/log')).trimEnd().split('\n')

const states = async (): Promise<Record<string, string>> => {
  const { servers } = await fleet.report()
  return Object.fromEntries(Object.entries(servers).map(([name, { state }]) => [name, state]))
}

describe('stop and start', () => {
  test('stop goes in reverse order of dependencies and keeps written files; start waits until all are ready', async () => {
    const before = (await fleet.report()).servers
    const stopped = await fleet.done(['stop'])
    expect(stopped.stderr.split('\n').filter((line) => line.endsWith('stopping'))).toEqual([
      'web: stopping',
      'db: stopping',
    ])
    expect(stopped.stdout).toContain('db    exited (0)')
    expect(await states()).toEqual({ db: 'exited', seed: 'completed', web: 'exited' })
    const { servers } = await fleet.json(['start'])
    // What had completed does not run again.
    expect(servers).toMatchObject({ db: { state: 'ready' }, web: { state: 'ready' }, seed: { state: 'completed' } })
    expect(servers.db?.container).toBe(before.db?.container)
    expect(servers.seed?.container).toBe(before.seed?.container)
    expect(servers.db?.endpoints['5000/tcp']?.port).toBeGreaterThan(0)
    expect(await log()).toEqual(['start', 'term', 'start'])
    expect((await fleet.done(['start'])).stdout).toContain('web   ready')
  })

  test('up starts the container of a server that was stopped or is paused', async () => {
    const before = (await fleet.report()).servers
    await fleet.done(['stop', 'db'])
    await fleet.done(['pause', 'web'])
    expect((await fleet.done(['plan'])).stdout).toMatch(/start {3}db: stopped\n.*start {3}web: paused\n/s)
    const { servers } = await fleet.json(['up'])
    expect(servers).toMatchObject({ db: { state: 'ready' }, web: { state: 'ready' } })
    expect(servers.db?.container).toBe(before.db?.container)
    expect(servers.web?.container).toBe(before.web?.container)
  })

  test('restart keeps address and container, one server at a time', async () => {
    const before = (await fleet.report()).servers
    const { servers } = await fleet.json(['restart', 'web', 'db', '--timeline', 'restart.html'])
    for (const name of ['db', 'web']) {
      expect(servers[name]).toMatchObject({ state: 'ready', ip: before[name]?.ip, container: before[name]?.container })
    }
    const page = await readFile(join(fleet.folder, 'restart.html'), 'utf8')
    for (const what of ['stopping web', 'starting web']) expect(page).toContain(`<td>${what}`)
  })
})

describe('kill, pause and resume', () => {
  test('kill delivers a signal; exec and start refuse a paused server; resume waits until it is ready', async () => {
    await fleet.done(['kill', '-s', 'hup', 'db'])
    await vi.waitFor(async () => expect((await log()).at(-1)).toBe('hup'), { timeout: SOON_MS })
    expect(await fleet.json(['pause', 'db'])).toMatchObject({ servers: { db: { state: 'paused' } } })
    const exec = await fleet.call(['exec', 'db', '--', 'true'])
    expect(exec).toMatchObject({
      exitCode: 1,
      stderr: 'error: db is paused\nhint: Run `testfleet resume db`.\n',
    })
    expect((await fleet.done(['join', '--', 'true'])).stderr).toContain('warning: db is paused and answers nothing\n')
    expect(readError(await fleet.call(['start', 'db', '--json']))).toMatchObject({ code: 'NOT_RUNNING', server: 'db' })
    expect((await fleet.done(['logs', 'db', '--tail', '1'])).stdout).toBe('db | up\n')
    expect(await fleet.json(['resume', 'db'])).toMatchObject({ servers: { db: { state: 'ready' } } })
  })

  test('a killed server has exited with the code of its signal, and kill, pause and resume refuse it', async () => {
    expect(await fleet.json(['kill', 'db'])).toMatchObject({ servers: { db: { state: 'exited', exitCode: 137 } } })
    for (const words of [
      ['kill', 'db'],
      ['pause', 'db'],
      ['resume', 'db'],
    ]) {
      expect(await fleet.call(words)).toMatchObject({
        exitCode: 1,
        stderr: 'error: db does not run: it ended with exit code 137\nhint: Run `testfleet start db`.\n',
      })
    }
    await fleet.done(['start', '--no-wait', 'db'])
    await fleet.done(['start', 'db'])
    expect(await states()).toMatchObject({ db: 'ready' })
  })

  test('wrong calls change nothing', async () => {
    const before = await inspect((await fleet.report()).servers.db?.container ?? '')
    for (const [words, code, said] of [
      [['stop', 'nobody'], 'UNKNOWN_SERVER', 'nobody'],
      [['kill', '-s', 'NOPE'], 'USAGE', '--signal'],
      [['stop', '--grace', '11m'], 'USAGE', '--grace'],
      [['start', '--timeout', 'soon'], 'USAGE', '--timeout'],
      [['stop', '--session', 'no-such-session'], 'NO_SESSION', 'no-such-session'],
    ] as const) {
      expect(readError(await fleet.call([...words, '--json']))).toMatchObject({
        code,
        message: expect.stringContaining(said),
      })
    }
    expect(await inspect((await fleet.report()).servers.db?.container ?? '')).toMatchObject({
      State: { StartedAt: before.State.StartedAt },
    })
  })
})

interface EventLine {
  readonly time: string
  readonly session?: string
  readonly operation: { readonly id: string; readonly name: string }
  readonly kind: string
  readonly data: { readonly server?: string; readonly outcome?: string; readonly exitCode?: number }
}

/** Reads one JSON document a line; an incomplete last line is left out. */
const readEvents = (text: string): EventLine[] => {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).trimEnd()
  return lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line))
}

/** An engine remembers its last 256 events, which are mostly those of other tests: only who follows already sees all. */
async function pauseUntil(...followed: readonly Promise<void>[]): Promise<void> {
  const all = Promise.all(followed).then(() => true)
  all.catch(() => {})
  do {
    await fleet.done(['pause', 'web'])
    await fleet.done(['resume', 'web'])
  } while (!(await Promise.race([all, sleep(100, false)])))
}

describe('events', () => {
  test('begin with those of the past', async () => {
    const testfleet = new Testfleet({ folder: fleet.folder })
    const since = new Date()
    await testfleet.control({ verb: 'pause' }, { servers: ['web'] })
    for await (const { kind, data } of testfleet.serverEvents({ since })) {
      expect([kind, data]).toEqual(['server.paused', { server: 'web' }])
      break
    }
    await testfleet.control({ verb: 'resume', waits: true }, { servers: ['web'] })
  })

  test('of the servers are followed until Ctrl-C, whatever causes them', async () => {
    const since = ['--since', new Date(Date.now() - 60_000).toISOString()]
    const people = startTestfleet(['events', ...since], { cwd: fleet.folder })
    const programs = startTestfleet(['events', '--json', ...since], { cwd: fleet.folder })
    await pauseUntil(people.waitForOutput(/web was resumed/), programs.waitForOutput(/server\.resumed.*"web"/))
    await fleet.done(['kill', 'web'])
    await fleet.done(['exec', 'db', '--', 'sh', '-c', 'kill -TERM 1'])
    await people.waitForOutput(/db exited/)
    await programs.waitForOutput(/server\.exited.*"db"/)
    // An engine reports an exit before it shows it.
    await vi.waitFor(async () => expect(await states()).toMatchObject({ db: 'exited', web: 'exited' }), SOON_MS)
    // Replaces db, which exited by itself, and web, which depends on it.
    await fleet.done(['up'])
    for (const server of ['db', 'web']) {
      await people.waitForOutput(new RegExp(`${server} was removed`))
      await programs.waitForOutput(new RegExp(`server\\.removed.*"${server}"`))
    }
    programs.kill('SIGINT')
    people.kill('SIGINT')
    const [shown, read] = await Promise.all([people.result, programs.result])
    expect([shown.exitCode, read.exitCode]).toEqual([130, 130])
    // The failure comes last, as a document of many lines.
    const all = readEvents(read.stdout.split(/^\{$/m)[0] ?? '')
    const events = all.slice(all.findLastIndex(({ kind }) => kind === 'server.paused'))
    expect(events.every(({ session, operation }) => session === fleet.name && operation.name === 'events')).toBe(true)
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).toSorted())
    const of = (name: string) => events.filter(({ data }) => data.server === name).map(({ kind }) => kind.slice(7))
    for (const [name, own] of [
      ['web', ['paused', 'resumed', 'signalled', 'exited']],
      ['db', ['exited']],
    ] as const) {
      const [first, last] = [of(name).slice(0, own.length), of(name).slice(own.length)]
      expect([first, last.toSorted()]).toEqual([own, ['created', 'removed', 'started']])
    }
    const exits = events.filter(({ kind }) => kind === 'server.exited').map(({ data }) => data)
    expect(exits).toEqual([
      { server: 'web', exitCode: 137 },
      { server: 'db', exitCode: 0 },
    ])
    const lines = shown.stdout.trimEnd().split('\n')
    expect(lines.at(-events.length)).toMatch(/^\d\d:\d\d:\d\d web was paused$/)
    expect(shown.stdout).toMatch(/ web received SIGKILL\n.* web exited with code 137\n/)
    expect(readError(await fleet.call(['events', '--since', 'noon', '--json']))).toMatchObject({ code: 'USAGE' })
  })
})

describe('cp', () => {
  test('copies files and folders both ways, even of a stopped server, and sets the owner', async () => {
    await mkdir(join(fleet.folder, 'site/sub'), { recursive: true })
    await writeFile(join(fleet.folder, 'site/sub/page'), 'hello', { mode: 0o640 })
    await symlink('sub/page', join(fleet.folder, 'site/index'))
    expect((await fleet.done(['cp', 'site', 'web:/srv'])).stdout).toBe('copied 2 files (5 bytes) to web:/srv\n')
    const listed = await fleet.done([
      'exec',
      'web',
      '--',
      'stat',
      '-c',
      '%n %U %a',
      '/srv/site/sub/page',
      '/srv/site/index',
    ])
    expect(listed.stdout).toBe('/srv/site/sub/page root 640\n/srv/site/index root 777\n')
    await fleet.done(['stop', '--grace', '0s', 'web'])
    const copied = await fleet.json<object>(['cp', 'web:/srv/site/.', 'back'])
    expect(copied).toEqual({ server: 'web', from: 'web:/srv/site/.', to: 'back', files: 2, bytes: 5 })
    expect(await readFile(join(fleet.folder, 'back/index'), 'utf8')).toBe('hello')
    expect((await stat(join(fleet.folder, 'back/sub/page'))).uid).toBe(process.getuid?.())
    await fleet.done(['start', 'web'])
  })

  test('streams a tar archive in and out', async () => {
    const archive = await fleet.done(['cp', 'db:/etc/hostname', '-'])
    expect(archive.stdout).toMatch(/^hostname\0/)
    await fleet.done(['cp', '-', 'web:/tmp'], { input: archive.stdout })
    expect(await fleet.exec('web', 'ls', '/tmp')).toBe('hostname\n')
  })

  test('reports a missing path, and skips links that lead elsewhere', async () => {
    for (const [words, code, said] of [
      [['cp', 'web:/no/such', '.'], 'COPY_FAILED', 'there is no file or folder /no/such in web'],
      [['cp', 'none', 'web:/'], 'COPY_FAILED', 'there is no file or folder none on this machine'],
      [['cp', 'site', 'web:/no/such/place'], 'COPY_FAILED', 'there is no folder /no/such in web'],
      [['cp', 'site/sub/page', 'web:/no/'], 'COPY_FAILED', 'there is no folder /no in web'],
      [['cp', 'site/sub/page', 'web:/etc/hosts'], 'ENGINE_REFUSED', 'web: /etc/hosts is a mount'],
      [['cp', 'web:/etc/mtab', '-L', '.'], 'COPY_FAILED', 'an engine cannot copy from or to /proc of a server'],
      [['cp', 'site', 'nobody:/'], 'UNKNOWN_SERVER', 'nobody'],
      [['cp', 'a', 'b'], 'USAGE', 'neither end'],
    ] as const) {
      const error = readError(await fleet.call([...words, '--json']))
      expect(error).toMatchObject({ code, message: expect.stringContaining(said) })
    }
    const { stderr } = await fleet.done(['cp', 'web:/etc/alternatives', 'links'])
    expect(stderr).toMatch(/^warning: not copied: .*awk is a link to .*; and \d+ more like it\n$/)
  })
})

describe('port', () => {
  test('prints the address of a port, and refuses an invalid or unpublished port', async () => {
    const { servers } = await fleet.report()
    const where = `127.0.0.1:${servers.db?.endpoints['5000/tcp']?.port}`
    expect((await fleet.done(['port', 'db', '5000'])).stdout).toBe(`${where}\n`)
    expect((await fleet.done(['port', 'db'])).stdout).toBe(`5000/tcp -> ${where}\n`)
    expect(await fleet.json(['port', 'db', '5000/tcp'])).toEqual(servers.db?.endpoints['5000/tcp'])
    for (const [port, code] of [
      ['5000/udp', 'PORT_UNREACHABLE'],
      ['5001', 'PORT_UNREACHABLE'],
      ['70000', 'USAGE'],
      ['http', 'USAGE'],
    ] as const) {
      expect(readError(await fleet.call(['port', 'db', port, '--json']))).toMatchObject({ code })
    }
    expect(readError(await fleet.call(['port', 'seed', '--json']))).toMatchObject({ code: 'NOT_RUNNING' })
  })
})

describe('the handle of a server', () => {
  test('reads the state and controls the server; a start renews its endpoints and exports', async () => {
    await using joined = await new Testfleet({ folder: fleet.folder }).join(fleet.name)
    const db = joined.server('db')
    const { port } = db.endpoint(5000)
    expect(db.endpoint(5000)).toEqual({ host: '127.0.0.1', port, protocol: 'tcp', url: `tcp://127.0.0.1:${port}` })
    expect(db.exports).toEqual({ DB_AT: `127.0.0.1:${port}` })
    await db.stop({ graceMs: 5000 })
    expect(await db.inspect()).toMatchObject({ state: 'exited', exitCode: 0 })
    expect(() => db.endpoint(5000)).toThrow('db does not run')
    await expect(db.exec(['true'])).rejects.toMatchObject({ code: 'NOT_RUNNING', server: 'db' })
    await expect(db.waitUntilReady()).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    await db.start({ wait: false })
    await db.waitUntilReady({ timeoutMs: SOON_MS })
    await expect.poll(() => db.state()).toBe('ready')
    const { servers } = await fleet.report()
    expect(db.endpoint(5000)).toMatchObject(servers.db?.endpoints['5000/tcp'] ?? {})
    expect(db.exports).toEqual({ DB_AT: `127.0.0.1:${db.endpoint(5000).port}` })
    expect(joined.environment).toMatchObject({ ...db.exports, TESTFLEET_DB_PORT_5000: `${db.endpoint(5000).port}` })
    const isTold = ['sh', '-c', 'test "$DB_AT" = "$0"', db.exports.DB_AT ?? '']
    expect(await joined.run(isTold)).toMatchObject({ exitCode: 0 })
    for (const command of ['true', [], [1]]) {
      await expect(db.exec(command as never)).rejects.toMatchObject({ code: 'USAGE' })
      await expect(joined.run(command as never)).rejects.toMatchObject({ code: 'USAGE' })
    }
    await expect(db.logs({ since: new Date('soon') }).next()).rejects.toMatchObject({ code: 'USAGE' })
    await expect(db.logs({ tail: -1 }).next()).rejects.toMatchObject({ code: 'USAGE' })
    await db.pause()
    expect(await db.state()).toBe('paused')
    await db.resume()
    await expect(db.kill('NOPE')).rejects.toMatchObject({ code: 'USAGE' })
    await expect(db.stop({ graceMs: -1 })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(db.start({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'USAGE' })
    await expect(joined.server('seed').waitUntilReady()).resolves.toBeUndefined()
    await db.restart({ graceMs: 0 })
    await expect.poll(() => db.state()).toBe('ready')
  })

  test('copies files in and out, as the client does', async () => {
    const testfleet = new Testfleet({ folder: fleet.folder })
    await using joined = await testfleet.join(fleet.name)
    await writeFile(join(fleet.folder, 'note'), 'a note')
    const web = joined.server('web')
    expect(await web.copyTo(join(fleet.folder, 'note'), '/tmp/copied')).toEqual({ files: 1, bytes: 6 })
    await web.copyFrom('/tmp/copied', join(fleet.folder, 'returned'))
    expect(await readFile(join(fleet.folder, 'returned'), 'utf8')).toBe('a note')
    await expect(web.copyFrom('/no/such', fleet.folder)).rejects.toMatchObject({ code: 'COPY_FAILED', server: 'web' })
    expect(await testfleet.copy('web:/tmp/copied', 'again')).toEqual({ files: 1, bytes: 6 })
    expect(await readFile(join(fleet.folder, 'again'), 'utf8')).toBe('a note')
  })
})

describe('a session that others hold', () => {
  test('is not stopped without --force, except by the command that holds it, which gets no warning', async () => {
    const testfleet = `"${process.execPath}" "${mainFile}"`
    const script = `${testfleet} stop db && ${testfleet} start db && ${testfleet} stop web && echo held; while [ -e hold ]; do sleep 0.1; done`
    await writeFile(join(fleet.folder, 'hold'), '')
    const held = startTestfleet(['join', '--', 'sh', '-c', script], { cwd: fleet.folder })
    await held.waitForOutput(/^held$/m)
    const refused = readError(await fleet.call(['stop', 'db', '--json']))
    expect(refused).toMatchObject({ code: 'SESSION_BUSY', hint: 'Wait until it has ended, or add --force.' })
    expect(await states()).toMatchObject({ db: 'ready', web: 'exited' })
    await fleet.done(['stop', '--force', 'db'])
    await rm(join(fleet.folder, 'hold'))
    const result = await held.result
    expect(result).toMatchObject({ exitCode: 0 })
    expect(result.stderr).not.toContain('while the command ran')
    await fleet.done(['start'])
  })
})

describe('a take-down', () => {
  test('ends those who follow the servers, and --events FILE has it as one operation', async () => {
    const testfleet = new Testfleet({ folder: fleet.folder })
    const kinds: string[] = []
    const following = (async () => {
      for await (const { kind } of testfleet.serverEvents({ since: new Date(Date.now() - 1000) })) kinds.push(kind)
    })()
    const follower = startTestfleet(['events', '--since', '1h'], { cwd: fleet.folder })
    await pauseUntil(follower.waitForOutput(/web was resumed/))
    await fleet.done(['up', '--events', 'calls.ndjson', '--quiet'])
    await fleet.done(['--events', 'calls.ndjson', 'down'])
    await following
    expect(kinds.filter((kind) => kind === 'server.removed').length).toBeGreaterThanOrEqual(3)
    const { exitCode, stdout, stderr } = ofItsOwn(await follower.result, fleet.name)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const name of ['db', 'seed', 'web']) expect(stdout).toContain(` ${name} was removed\n`)
    const calls = readEvents(await readFile(join(fleet.folder, 'calls.ndjson'), 'utf8'))
    const ids = [...new Set(calls.map(({ operation }) => operation.id))]
    const operations = ids.map((id) => calls.filter(({ operation }) => operation.id === id))
    expect(operations.map(([first]) => first?.operation.name)).toEqual(['up', 'down'])
    for (const events of operations) {
      expect(events[0]).toMatchObject({ kind: 'operation.started' })
      expect(events.at(-1)).toMatchObject({ kind: 'operation.ended', session: fleet.name, data: { outcome: 'ok' } })
    }
    const removed = operations[1]?.filter(({ kind }) => kind === 'server.removed').map(({ data }) => data.server)
    expect(removed?.toSorted()).toEqual(['db', 'seed', 'web'])
  })
})
