import { randomBytes } from 'node:crypto'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { countLeftovers, withEngine } from '../support/command.ts'
import { openFaultProxy } from '../support/fault-proxy.ts'
import {
  expectPutBack,
  findKeeper,
  isAlive,
  makeDoomed,
  startReplacement,
  startRun,
  tellOf,
  waitForEnd,
} from '../support/holds.ts'
import { findOrdinaryUser } from '../support/ordinary-user.ts'
import { type OwnEngine, openOwnEngine, whyNoOwnEngine } from '../support/own-engine.ts'
import { labelsOf, makeStrangers } from '../support/strangers.ts'
import { base, endFleets, makeFleet, server, sleeper } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

// On an engine of their own: any call of anyone sees to what the dead have left, and `prune --all` to more than that.
const reason = whyNoOwnEngine()
if (reason !== undefined) process.stdout.write(`what sees to what the dead have left is not tested: ${reason}\n`)

let engine: OwnEngine | undefined

beforeAll(async () => {
  if (reason !== undefined) return
  engine = await openOwnEngine(base)
  vi.stubEnv('DOCKER_HOST', engine.url)
})

afterEach(endFleets)

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

describe.skipIf(reason !== undefined)('the next call of any command', () => {
  test('cleans up a session of `run` when both it and its keeper were killed, and no living session', async () => {
    const [dead, living] = [await makeFleet([`web: ${sleeper}`]), await makeFleet([`web: ${sleeper}`])]
    const { command, session, keeper } = await startRun(dead)
    const { command: other } = await startRun(living)
    process.kill(keeper.pid, 'SIGKILL')
    command.killGroup('SIGKILL')
    await command.result
    expect(await countLeftovers(dead.name)).toBe(3)
    const left = await countLeftovers(living.name)
    const { stderr } = await living.start(['doctor']).result
    expect(stderr).toContain(`session ${session}: cleaned up after a dead process: removed web\n`)
    expect(await countLeftovers(dead.name)).toBe(0)
    expect(await countLeftovers(living.name)).toBe(left)
    other.kill('SIGTERM')
    await other.result
  })

  test('leaves objects alone that only carry the labels of a session that it cleans up', async () => {
    const dead = await makeFleet([`web: ${sleeper}`])
    const { command, session, keeper } = await startRun(dead)
    await using strangers = await makeStrangers(await labelsOf(dead.name))
    process.kill(keeper.pid, 'SIGKILL')
    command.killGroup('SIGKILL')
    await command.result
    const { stderr } = await dead.start(['doctor']).result
    expect(stderr).toContain(`session ${session}: cleaned up after a dead process: removed web\n`)
    expect(await strangers.count()).toBe(3)
  })

  test('leaves sessions alone whose holders belong to another user and are hidden in /proc', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const { command, session, keeper } = await startRun(fleet)
    const user = await findOrdinaryUser()
    const socket = new URL(engine?.url ?? '').pathname
    await chmod(dirname(socket), 0o711)
    await chmod(socket, 0o666)
    const call = (...words: string[]) => {
      // A new mount of /proc: its options are no other's.
      const hides = ['unshare', '--mount', 'sh', '-c', 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', 'sh']
      const prefix = [...hides, ...user.prefix, ...words]
      return fleet.start([], { cwd: tmpdir(), prefix, isBare: true, env: { HOME: tmpdir() } }).result
    }
    expect(await call('ls', '-d', `/proc/${keeper.pid}`)).toMatchObject({ exitCode: 2 })
    expect(await call(...user.command, 'doctor')).toMatchObject({ exitCode: 0, stderr: '' })
    const { stdout, stderr, exitCode } = await call(...user.command, 'ps', '--all')
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^ *${session} .* process \\d+ of `, 'm'))
    expect((await fleet.run(['ps', '--session', session])).stdout).toMatch(/web +ready/)
    command.kill('SIGTERM')
    await command.result
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('puts back the servers that an `up` was replacing when it was killed with its keeper', wide, async () => {
    const { fleet, before, command } = await startReplacement()
    process.kill((await findKeeper(fleet)).pid, 'SIGKILL')
    command.killGroup('SIGKILL')
    await command.result
    const { stderr } = await fleet.run(['doctor'])
    expect(stderr).toMatch(/^session \S+: cleaned up after a dead process: removed db; put back (db, web|web, db)$/m)
    await expectPutBack(fleet, before)
    await fleet.takeDown()
  })

  test('puts back a server whose `reset` was killed; of two calls at once, one does', async () => {
    const isOpen = server({
      command: ['sleep', '600'],
      mounts: [{ from: 'gate', to: '/gate' }],
      ready: [{ exec: ['test', '-e', '/gate/open'] }],
      preStop: [['true']],
    })
    const fleet = await makeFleet([`db: ${isOpen}`], { 'gate/open': '' })
    await fleet.run(['up'])
    const before = await tellOf(fleet)
    await rm(join(fleet.folder, 'gate/open'))
    const killed = fleet.start(['reset', 'db'])
    await killed.waitForOutput(/db: starting/)
    killed.kill('SIGKILL')
    await killed.result
    await writeFile(join(fleet.folder, 'gate/open'), '')
    const calls = await Promise.all([fleet.run(['doctor']), fleet.run(['doctor'])])
    expect(calls.map(({ stderr }) => stderr.replace(/^db: preStop.*\n/gm, '')).toSorted()).toEqual([
      '',
      `session ${fleet.name}: cleaned up after a dead process: removed db; put back db\n`,
    ])
    await expectPutBack(fleet, before)
    await fleet.run(['down'])
  })

  test('starts a server again that the engine could not start during an undo', async () => {
    await using proxy = await openFaultProxy()
    const { fleet, before } = await makeDoomed()
    proxy.misbehave({ kind: 'POST /containers/{id}/start', misbehaviour: 'error500', occurrence: 'every' })
    // The new one does not start either; what was there is all the same to come back. Its process has to be dead then.
    const failed = fleet.start(['up'], { env: { DOCKER_HOST: proxy.url } })
    expect(await failed.result).toMatchObject({ exitCode: 1 })
    const keeper = await findKeeper(fleet)
    expect(isAlive(keeper.pid)).toBe(true)
    process.kill(keeper.pid, 'SIGKILL')
    await waitForEnd(keeper.pid)
    const { stderr } = await fleet.run(['ps'])
    expect(stderr).toContain(`session ${fleet.name}: cleaned up after a dead process: `)
    expect(stderr).toContain('put back db')
    await expectPutBack(fleet, before)
    await fleet.takeDown()
  })

  test('cleans up a session whose time is over and whose keeper was killed', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up', '--ttl', '5s'])
    process.kill((await findKeeper(fleet)).pid, 'SIGKILL')
    await sleep(5000)
    expect((await fleet.run(['doctor'])).stderr).toContain(`session ${fleet.name}: removed web\n`)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})

describe.skipIf(reason !== undefined)('prune', () => {
  test('removes what dead processes left, and nothing else', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const { command, session, keeper } = await startRun(fleet)
    process.kill(keeper.pid, 'SIGKILL')
    command.killGroup('SIGKILL')
    await command.result
    const counted = await countLeftovers(fleet.name)
    const planned = await fleet.run(['prune', '--dry-run', '--json'])
    const { removed, kept } = JSON.parse(planned.stdout)
    expect(removed).toContainEqual({
      session,
      because: expect.stringMatching(/^process \d+, which held it, is gone$/),
      servers: 1,
      networks: 1,
      volumes: 0,
    })
    expect(kept).toContainEqual({
      session: fleet.name,
      because: 'it stays until it is taken down',
      servers: 1,
      networks: 1,
      volumes: 0,
    })
    expect(await countLeftovers(fleet.name)).toBe(counted)
    const { stdout } = await fleet.run(['prune'])
    expect(stdout).toMatch(new RegExp(`^removed session ${session} \\(1 server, 1 network\\): process \\d+`, 'm'))
    expect(await countLeftovers(fleet.name)).toBe(3)
    await fleet.takeDown()
  })

  test('--all removes sessions without holders that are old enough', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const { command } = await startRun(fleet)
    expect((await fleet.run(['prune', '--all', '--older-than', '1h'])).stdout).toContain('it is younger')
    expect(await countLeftovers(fleet.name)).toBe(6)
    const { stdout } = await fleet.run(['prune', '--all'])
    expect(stdout).toContain(`removed session ${fleet.name} (1 server, 1 network): nobody holds it\n`)
    expect(stdout).toMatch(new RegExp(`^kept session ${fleet.name}-\\w+ .*: somebody holds it$`, 'm'))
    expect(await countLeftovers(fleet.name)).toBe(3)
    command.kill('SIGTERM')
    await command.result
  })

  test('leaves sessions alone that another machine holds or whose record cannot be read', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const session = `${fleet.name}-${randomBytes(3).toString('hex')}`
    const elsewhere = { name: 'elsewhere', id: '1', boot: '2', pidSpace: '3' }
    const holder = { machine: elsewhere, process: { pid: 1, startedAt: '4' } }
    const record = {
      ...{ format: 1, id: 'aaaaaaaa', name: session, fleet: fleet.name, domain: 'x.test', isDefault: false },
      ...{ owner: 'me@elsewhere', machine: elsewhere, createdAtMs: Date.now(), servers: {} },
      lifetime: { kind: 'held', holders: [holder] },
    }
    const put = (id: string, text: string): Promise<unknown> =>
      withEngine((engine) =>
        engine.createVolume(`testfleet-${id}.1`, {
          'dev.testfleet.session': id,
          'dev.testfleet.fleet': fleet.name,
          'dev.testfleet.record': text,
          'dev.testfleet.writer': 'w',
        }),
      )
    await put('aaaaaaaa', JSON.stringify(record))
    await put('bbbbbbbb', 'another version')
    expect((await fleet.run(['prune', '--all'])).stdout).toContain(
      `kept session ${session} (nothing): it is held on another machine\n`,
    )
    expect((await fleet.run(['prune', '--all', '--older-than', '0s'])).stdout).toContain(
      `removed session ${session} (nothing): it is old`,
    )
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})
