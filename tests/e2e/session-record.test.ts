import { execFileSync } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { countLeftovers, mainFile } from '../support/command.ts'
import { tellOf } from '../support/holds.ts'
import { libraryFile } from '../support/library.ts'
import { endFleets, makeFleet, readError, server, sleeper, type TestFleet, webServer } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

// Not after each: many are at work side by side.
afterAll(endFleets)

/** A web server that says at its start what no other container says. */
const unique = ['sh', '-c', 'cat /proc/sys/kernel/random/uuid; exec "$@"', 'sh', ...webServer]

function readUuid(log: string): string {
  return /[0-9a-f-]{36}/.exec(log)?.[0] ?? ''
}

function containersIn({ servers }: Awaited<ReturnType<typeof tellOf>>): Record<string, string> {
  return Object.fromEntries(Object.entries(servers).map(([name, { container }]) => [name, container]))
}

test('a change that only later calls need is planned as an update, and replaces no container', async () => {
  const db = { command: webServer, ports: [80], ready: [{ http: { port: 80 } }], export: { DB: '${port.80}' } }
  const web = { command: ['sleep', '600'], dependsOn: ['db'] }
  const declare = (servers: Readonly<Record<string, object>>): string[] =>
    Object.entries(servers).map(([name, keys]) => `${name}: ${server(keys)}`)
  const fleet = await makeFleet(declare({ db, web }))
  const up = async (): Promise<Record<string, string>> => {
    const { stdout, stderr, exitCode } = await fleet.run(['up', '--json'])
    expect(exitCode, stderr).toBe(0)
    return containersIn(JSON.parse(stdout))
  }
  const before = await up()
  expect((await fleet.run(['plan'])).stdout).toContain('Nothing to do.')
  // One after the other, so that each `plan` has one change: the update before has left none.
  const declared = { db, web }
  for (const [changed, words] of [
    [{ db: { export: { DB: '${host}' } } }, 'db: exports changed'],
    [{ db: { ready: [{ tcp: { port: 80 } }] } }, 'db: ready checks changed'],
    [{ db: { readyTimeout: '59s' } }, 'db: readyTimeout changed'],
    [{ web: { dependsOn: [] } }, 'web: dependencies changed'],
  ] as const) {
    if ('db' in changed) Object.assign(db, changed.db)
    else Object.assign(web, changed.web)
    await fleet.rewrite(declare(declared))
    expect((await fleet.run(['plan'])).stdout).toBe(
      `session ${fleet.name}\n  keep    db\n  keep    web\n  update  ${words}\n1 change.\n`,
    )
    expect(await up()).toEqual(before)
    const { stdout } = await fleet.run(['endpoints', '--format', 'env'])
    expect(stdout).toMatch(/^DB=127\.0\.0\.1$/m)
  }
  expect((await fleet.run(['plan'])).stdout).toContain('Nothing to do.')
  await fleet.takeDown()
})

/** A repository with a fleet, and a second work tree of it. */
async function makeWorktrees(): Promise<{ fleet: TestFleet; one: string; two: string }> {
  const fleet = await makeFleet([`web: ${server({ command: unique, ports: [80] })}`])
  const [one, two] = [join(fleet.folder, 'one'), join(fleet.folder, 'two')]
  await mkdir(join(one, 'deep'), { recursive: true })
  await cp(join(fleet.folder, 'testfleet.yaml'), join(one, 'testfleet.yaml'))
  const git = (...words: string[]): void => {
    const who = ['-c', 'user.name=x', '-c', 'user.email=x@x.test', '-c', 'commit.gpgsign=false']
    execFileSync('git', ['-C', one, ...who, ...words], { stdio: 'pipe' })
  }
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'x')
  git('worktree', 'add', '--quiet', two)
  return { fleet, one, two }
}

describe.concurrent('`up` in two work trees of one repository', () => {
  test('creates two sessions, and every later call finds the session of its own work tree without an option', async () => {
    const { fleet, one, two } = await makeWorktrees()
    const call = async (cwd: string, ...words: string[]): Promise<string> => {
      const result = await fleet.run(words, { cwd })
      expect(result, words.join(' ')).toMatchObject({ exitCode: 0 })
      return result.stdout
    }
    const reports = [await call(one, 'up', '--json'), await call(two, 'up', '--json')].map((text) => JSON.parse(text))
    const [first, second] = reports.map(({ session }) => session)
    expect(first).toBe(fleet.name)
    expect(second).toMatch(new RegExp(`^${fleet.name}-[0-9a-f]{4}$`))
    for (const [index, folder] of [one, two, join(one, 'deep')].entries()) {
      const [mine, other] = [reports[index % 2], reports[(index + 1) % 2]]
      expect(JSON.parse(await call(folder, 'ps', '--json'))).toEqual(mine)
      // Every command finds the session in the same way: the third folder is to show that it looks above.
      if (index === 2) continue
      expect(await call(folder, 'plan')).toContain('Nothing to do.')
      expect(await call(folder, 'endpoints', '--format', 'env')).toContain(`TESTFLEET_SESSION=${mine.session}\n`)
      const uuid = readUuid(await call(folder, 'logs', 'web'))
      expect(uuid).toMatch(/./)
      expect(readUuid(await call(index === 1 ? one : two, 'logs', 'web'))).not.toBe(uuid)
      expect(await call(folder, 'exec', 'web', '--', 'hostname', '-i')).toBe(`${mine.servers.web.ip}\n`)
      expect(mine.servers.web.container).not.toBe(other.servers.web.container)
    }
    await listsBoth(fleet, { [first]: one, [second]: two })
    await call(two, 'down')
    expect(readError(await fleet.run(['ps', '--json'], { cwd: two }))).toMatchObject({ code: 'NO_SESSION' })
    expect(JSON.parse(await call(one, 'ps', '--json'))).toEqual(reports[0])
    await call(one, 'down')
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('creates two sessions even at the same time', wide, async () => {
    const { fleet, one, two } = await makeWorktrees()
    const results = await Promise.all([one, two].map((cwd) => fleet.run(['up', '--json'], { cwd })))
    const sessions = results.map(({ stdout }) => JSON.parse(stdout).session)
    expect(sessions.sort()).toEqual([fleet.name, expect.stringMatching(new RegExp(`^${fleet.name}-[0-9a-f]{4}$`))])
    for (const cwd of [one, two]) expect(await fleet.run(['down'], { cwd })).toMatchObject({ exitCode: 0 })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})

async function listsBoth(fleet: TestFleet, folders: Readonly<Record<string, string>>): Promise<void> {
  const running = fleet.start(['run', '--quiet', '--', 'sh', '-c', 'echo "in $TESTFLEET_SESSION"; exec sleep 600'])
  await running.waitForOutput(/in \S+\n/)
  const { sessions } = JSON.parse((await fleet.run(['ps', '--all', '--json'])).stdout)
  const own = sessions.filter((one: { fleet: string }) => one.fleet === fleet.name)
  const summary = { fleet: fleet.name, ageMs: expect.any(Number), state: 'up', heldBy: [], servers: 1, running: 1 }
  for (const [session, folder] of Object.entries(folders)) {
    expect(own).toContainEqual(expect.objectContaining({ ...summary, session, folder }))
  }
  const heldBy = [expect.stringMatching(new RegExp(`^process ${running.pid} of \\S+$`))]
  expect(own).toContainEqual(expect.objectContaining({ ...summary, folder: fleet.folder, heldBy }))
  expect(own).toHaveLength(3)
  const { stdout } = await fleet.run(['ps', '--all'])
  expect(stdout).toMatch(/^ *SESSION +FLEET +SERVERS +STATE +AGE +HELD BY +FOLDER$/m)
  for (const [session, folder] of Object.entries(folders)) {
    expect(stdout).toMatch(new RegExp(`^ *${session} +${fleet.name} +1/1 +up +\\d[^-]* - +${folder}$`, 'm'))
  }
  expect(stdout).toMatch(
    new RegExp(`^ *${fleet.name}-\\w{6} .* +process ${running.pid} of \\S+ +${fleet.folder}$`, 'm'),
  )
  running.kill('SIGTERM')
  await running.result
}

describe.concurrent('the session of a call', () => {
  test('is that of --session, else of TESTFLEET_SESSION, else of the checkout, for every command', async () => {
    const fleet = await makeFleet([`web: ${server({ command: unique, ports: [80] })}`])
    const other = `${fleet.name}-0ther`
    const marks = new Map<string, readonly string[]>()
    for (const [session, flags] of [
      [fleet.name, []],
      [other, ['--session', other]],
    ] as const) {
      const { servers } = JSON.parse((await fleet.run(['up', '--json', ...flags])).stdout)
      const uuid = readUuid((await fleet.run(['logs', 'web', ...flags])).stdout)
      const names = [`session ${session}:`, `"session": "${session}"`, `TESTFLEET_SESSION=${session}\n`]
      marks.set(session, [servers.web.container, servers.web.ip, uuid, ...names])
    }
    const env = { env: { TESTFLEET_SESSION: other } }
    const ways = [
      [[], {}, fleet.name],
      [[], env, other],
      [['--session', fleet.name], env, fleet.name],
    ] as const
    const joins = `import { joinFleet } from ${JSON.stringify(libraryFile)}
      const fleet = await joinFleet(process.argv[1])
      console.log('session ' + fleet.session + ':')
      await fleet.down()`
    const words: readonly (readonly string[])[] = [
      ['ps', '--json'],
      ['plan', '--json'],
      ['up', '--json'],
      ['endpoints', '--format', 'env'],
      ['logs', 'web'],
      ['exec', 'web', '--', 'hostname', '-i'],
      ['hosts'],
      ['join'],
      ['join', '--', 'sh', '-c', 'echo "session $TESTFLEET_SESSION:"'],
      ['release', '--pid', '1'],
    ]
    // By every command in the way that a single one could miss; the order of the ways is decided in one place for all.
    const few = words.filter(([word]) => word === 'ps' || word === 'exec')
    const look = async ([flags, variables, expected]: (typeof ways)[number]): Promise<void> => {
      const sees = (text: string): string[] =>
        [...marks].flatMap(([session, own]) => (own.some((mark) => text.includes(mark)) ? [session] : []))
      for (const [word = '', ...rest] of flags.length === 0 && variables === env ? words : few) {
        const { stdout, stderr, exitCode } = await fleet.run([word, ...flags, ...rest], variables)
        expect([word, exitCode, sees(stdout)], stdout + stderr).toEqual([word, 0, [expected]])
      }
      const script = [process.execPath, '--input-type=module', '--eval', joins, ...flags.slice(1)]
      const joined = await fleet.start([], { prefix: script, isBare: true, ...variables }).result
      expect([joined.stderr, sees(joined.stdout)]).toEqual(['', [expected]])
    }
    await Promise.all(ways.map(look))
    // These change what they find: rm the server, down the session.
    for (const word of ['rm web', 'down']) {
      for (const [flags, variables, expected] of ways.slice(1)) {
        const { stdout } = await fleet.run([...word.split(' '), ...flags], variables)
        expect(stdout).toMatch(new RegExp(`^session ${expected}: removed `))
      }
    }
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('is that of a surrounding `run`, so `down` in its command cannot remove the session of `up`', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const before = await tellOf(fleet)
    const result = await fleet.run(['run', '--', process.execPath, mainFile, 'down'])
    expect(result.stdout).toMatch(new RegExp(`^session ${fleet.name}-[0-9a-f]{6}: removed 1 server`))
    expect(await tellOf(fleet)).toEqual(before)
    expect(await fleet.run(['down'])).toMatchObject({ exitCode: 0 })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('is never another one when TESTFLEET_SESSION names a session that does not exist: NO_SESSION', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const env = { TESTFLEET_SESSION: `${fleet.name}-gone` }
    expect(readError(await fleet.run(['ps', '--json'], { env }))).toMatchObject({
      code: 'NO_SESSION',
      hint: expect.stringContaining('Unset TESTFLEET_SESSION'),
    })
    expect(await fleet.run(['down'], { env })).toMatchObject({ exitCode: 0 })
    expect((await fleet.run(['ps'])).stdout).toMatch(/web +ready/)
    await fleet.takeDown()
  })
})

test('`up` of one server does not need the variables of another running server', async () => {
  const db = server({ command: ['sleep', '600'], secrets: { A: { env: 'DB_PASSWORD_OF_ANOTHER' } } })
  const fleet = await makeFleet([`db: ${db}`, `cache: ${sleeper}`])
  await fleet.run(['up'], { env: { DB_PASSWORD_OF_ANOTHER: 'x' } })
  const before = await tellOf(fleet)
  await fleet.rewrite([`db: ${db}`, `cache: ${server({ command: ['sleep', '601'] })}`])
  expect((await fleet.run(['plan', 'cache'])).stdout).toContain('start   cache: configuration changed')
  expect(await fleet.run(['up', 'cache'])).toMatchObject({ exitCode: 0 })
  const after = await tellOf(fleet)
  expect(after.servers.db).toEqual(before.servers.db)
  expect(after.servers.cache?.container).not.toBe(before.servers.cache?.container)
  await fleet.takeDown()
})
