import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { countLeftovers, listRecords, SOON_MS, waitForNothing } from '../support/command.ts'
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts'
import { expectPutBack, findKeeper, makeDoomed, tellOf } from '../support/holds.ts'
import { startFleet } from '../support/library.ts'
import { askEngine } from '../support/raw-engine.ts'
import { base, endFleets, makeFleet, server, sleeper, type TestFleet } from '../support/test-fleet.ts'
import { wide, wideIf } from '../support/tiers.ts'

const START = 'POST /containers/{id}/start'
const STORE = 'POST /volumes/create'
interface Inspected {
  readonly State: { readonly StartedAt: string }
}

let through: { readonly env: { readonly DOCKER_HOST: string } }
let proxy: FaultProxy

/** Each test has its own: the keepers of the one before still call. All stay until those have ended. */
const proxies: FaultProxy[] = []

beforeEach(async () => {
  proxy = await openFaultProxy()
  proxies.push(proxy)
  through = { env: { DOCKER_HOST: proxy.url } }
})

/** Keepers look again through the proxy before they end. */
const LAST_LOOK_MS = 4000

afterAll(async () => {
  await endFleets()
  await sleep(LAST_LOOK_MS)
  await Promise.all(proxies.map((one) => one[Symbol.asyncDispose]()))
})

afterEach(() => proxy.misbehave(undefined))

test('a server that the engine cannot start during an undo is started by the keeper', wide, async () => {
  const { fleet, before } = await makeDoomed()
  // The first start is that of the new one.
  proxy.misbehave({ kind: START, misbehaviour: 'error500', occurrence: 2 })
  const { exitCode, stderr } = await fleet.run(['up'], through)
  expect([exitCode, proxy.hits]).toEqual([1, 1])
  expect(stderr).toMatch(/^left behind: .*db, which was replaced, could not be put back: /m)
  await expect.poll(async () => (await tellOf(fleet)).servers.db?.state).toBe('ready')
  await expectPutBack(fleet, before)
  await fleet.takeDown()
})

test('a paused server stays paused when a call fails before it changes the server', async () => {
  const fleet = await makeFleet([`db: ${sleeper}`])
  await fleet.run(['up'])
  const { servers } = await tellOf(fleet)
  const id = servers.db?.container
  await askEngine('POST', `/containers/${id}/pause`)
  await fleet.rewrite([`db: ${server({ image: 'registry.invalid/no-such:1' })}`])
  const { exitCode, stderr } = await fleet.run(['up'])
  expect([exitCode, stderr]).toEqual([1, expect.not.stringContaining('left behind')])
  expect((await askEngine('GET', `/containers/${id}/json`)) as object).toMatchObject({ State: { Paused: true } })
  expect((await fleet.run(['ps', '--all'])).stdout).toMatch(new RegExp(`^ *${fleet.name} .* up `, 'm'))
  await fleet.takeDown()
})

describe('a server that is being stopped', () => {
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    test(
      `is started again when the \`up\` that replaces it is ended by ${signal}`,
      wideIf(signal === 'SIGINT'),
      async () => {
        const slowly = 'trap "echo asked; until [ -e /gate/open ]; do sleep 0.1; done; exit 0" TERM; sleep 600 & wait'
        const keys = {
          mounts: [{ from: 'gate', to: '/gate', writable: true }],
          stopSignal: 'SIGTERM',
          stopGracePeriod: '10m',
        }
        const declare = (name: string): string[] => [
          `db: ${server({ command: ['sh', '-c', slowly], ...keys, environment: { NAME: name } })}`,
        ]
        const fleet = await makeFleet(declare('old'), { 'gate/shut': '' })
        expect(await fleet.run(['up'])).toMatchObject({ exitCode: 0 })
        const before = await tellOf(fleet)
        const startOf = async () => {
          const { State } = (await askEngine('GET', `/containers/${before.servers.db?.container}/json`)) as Inspected
          return State.StartedAt
        }
        const firstStart = await startOf()
        await fleet.rewrite(declare('new'))
        const command = fleet.start(['up'])
        // Asked for, and not done.
        await vi.waitFor(async () => expect((await fleet.run(['logs', 'db'])).stdout).toContain('asked'), SOON_MS)
        command.kill(signal)
        await writeFile(join(fleet.folder, 'gate/open'), '')
        await command.result
        // It ends now. The keeper of a killed call puts it back.
        await expect.poll(startOf).not.toBe(firstStart)
        await expect.poll(async () => (await tellOf(fleet)).servers.db?.state).toBe('ready')
        await expectPutBack(fleet, before)
        await fleet.takeDown()
      },
    )
  }
})

test('up is undone when its record was stored but the answer lost, and the record names the running containers', async () => {
  const fleet = await makeFleet([`db: ${sleeper}`])
  await fleet.run(['up'])
  const before = await tellOf(fleet)
  await fleet.rewrite([`db: ${server({ command: ['sleep', '601'] })}`])
  // The first begins the change, the second says that it was made.
  proxy.misbehave({ kind: STORE, misbehaviour: 'error500 after', occurrence: 2 })
  expect(await fleet.run(['up'], through)).toMatchObject({ exitCode: 1 })
  expect(proxy.hits).toBeGreaterThan(0)
  await expectPutBack(fleet, before)
  await fleet.takeDown()
})

test(
  'up that is killed after it saved a session with --ttl leaves the replaced containers to the keeper',
  wide,
  async () => {
    const fleet = await makeFleet([`db: ${sleeper}`])
    await fleet.run(['up'])
    await fleet.rewrite([`db: ${server({ command: ['sleep', '601'] })}`])
    // The first begins the change, the second says that it was made, the third that all is done.
    proxy.misbehave({ kind: STORE, misbehaviour: 'hang', occurrence: 3 })
    const command = fleet.start(['up', '--ttl', '10m'], through)
    await vi.waitUntil(() => proxy.hits > 0, { timeout: SOON_MS })
    command.kill('SIGKILL')
    await command.result
    await expect.poll(async () => (await listRecords()).find(({ name }) => name === fleet.name)?.change).toBeUndefined()
    expect(await tellOf(fleet)).toMatchObject({ servers: { db: { state: 'ready' } } })
    const { pid } = await findKeeper(fleet)
    await fleet.takeDown()
    // It sleeps until the session's time is over, and cannot be told that the session is gone.
    process.kill(pid, 'SIGKILL')
  },
)

test('up is undone when it cannot see the servers that it started', wide, async () => {
  const fleet = await makeFleet([`db: ${sleeper}`])
  proxy.misbehave({ kind: 'GET /containers/json', misbehaviour: 'error500', occurrence: 'every' })
  expect(await fleet.run(['up'], through)).toMatchObject({ exitCode: 1 })
  expect(proxy.hits).toBeGreaterThan(0)
  proxy.misbehave(undefined)
  await waitForNothing(fleet.name)
})

describe('the library', () => {
  const fleetOf = ({ name }: TestFleet, command: readonly string[]) => ({
    name,
    servers: { web: { image: base, command: [...command], ready: [{ exec: ['true'] }] } },
  })

  test('takes a fleet down at a later try when the engine refused the first', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const running = await startFleet(fleetOf(fleet, ['sleep', '600']), { engine: proxy.url })
    proxy.misbehave({ kind: 'DELETE /containers/{id}', misbehaviour: 'error500', occurrence: 'every' })
    await expect(running.down()).rejects.toMatchObject({ code: 'CLEANUP_FAILED' })
    await expect(running.down()).rejects.toMatchObject({ code: 'CLEANUP_FAILED' })
    expect(await countLeftovers(fleet.name)).toBeGreaterThan(0)
    proxy.misbehave(undefined)
    await running.down()
    expect(await countLeftovers(fleet.name)).toBe(0)
    await running.down()
  })

  test('leaves nothing of a start whose first record was stored but the answer lost', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    proxy.misbehave({ kind: STORE, misbehaviour: 'error500 after', occurrence: 1 })
    const starting = startFleet(fleetOf(fleet, ['sleep', '600']), { engine: proxy.url })
    await expect(starting).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    await waitForNothing(fleet.name)
  })

  const broken = new Error('the listener is broken')

  test('leaves no record, even while its process continues, of a start whose records were stored but the answers lost', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    proxy.misbehave({ kind: STORE, misbehaviour: 'error500 after', occurrence: 'every' })
    const starting = startFleet(fleetOf(fleet, ['sleep', '600']), { engine: proxy.url })
    await expect(starting).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    proxy.misbehave(undefined)
    await waitForNothing(fleet.name)
  })

  test('undoes a start when its listener throws, and rejects with that error', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const starting = startFleet(fleetOf(fleet, ['sleep', '600']), {
      onEvent({ kind }) {
        if (kind === 'server.starting') throw broken
      },
    })
    await expect(starting).rejects.toBe(broken)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  for (const wanted of ['server.failed', 'session.undoing'])
    test(
      `undoes a failed start even when its listener throws at \`${wanted}\``,
      wideIf(wanted === 'server.failed'),
      async () => {
        const fleet = await makeFleet([`web: ${sleeper}`])
        const starting = startFleet(fleetOf(fleet, ['no-such-program']), {
          onEvent({ kind }) {
            if (kind === wanted) throw broken
          },
        })
        await expect(starting).rejects.toMatchObject({ errors: [{ code: 'COMMAND_NOT_FOUND' }, broken] })
        expect(await countLeftovers(fleet.name)).toBe(0)
      },
    )

  test('takes a fleet down even when its listener throws, and rejects with that error; 25 days is a valid timeoutMs', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const running = await startFleet(fleetOf(fleet, ['sleep', '600']), {
      // More than a timer of Node can wait.
      timeoutMs: 25 * 86_400_000,
      onEvent({ kind }) {
        if (kind === 'server.removing') throw broken
      },
    })
    await expect.poll(() => running.server('web').state()).toBe('ready')
    await expect(running.down()).rejects.toBe(broken)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test.each([-1, Number.NaN])('refuses %d ms as timeoutMs, and changes nothing', async (timeoutMs) => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const starting = startFleet(fleetOf(fleet, ['sleep', '600']), { timeoutMs })
    await expect(starting).rejects.toMatchObject({ code: 'USAGE' })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('accepts Infinity as timeoutMs', wide, async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const timeoutMs = Number.POSITIVE_INFINITY
    await using running = await startFleet(fleetOf(fleet, ['sleep', '600']), { timeoutMs })
    await expect.poll(() => running.server('web').state()).toBe('ready')
  })
})
