import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countLeftovers } from '../support/command.ts'
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts'
import { expectPutBack, makeDoomed, tellOf } from '../support/holds.ts'
import { startFleet } from '../support/library.ts'
import { base, endFleets, makeFleet, sleeper, type TestFleet } from '../support/test-fleet.ts'
import { wideIf } from '../support/tiers.ts'

let proxy: FaultProxy

beforeAll(async () => {
  proxy = await openFaultProxy()
})

/** Keepers look once more through the proxy before they end. */
const LAST_LOOK_MS = 4000

afterAll(async () => {
  proxy.misbehave(undefined)
  await endFleets()
  await sleep(LAST_LOOK_MS)
  await proxy[Symbol.asyncDispose]()
})

test('a server that the engine does not start again when a call is taken back is started by the keeper', async () => {
  const { fleet, before } = await makeDoomed()
  // The first start is that of the new one.
  proxy.misbehave({ kind: 'POST /containers/{id}/start', misbehaviour: 'error500', occurrence: 2 })
  const { exitCode, stderr } = await fleet.run(['up'], { env: { DOCKER_HOST: proxy.url } })
  expect([exitCode, proxy.hits]).toEqual([1, 1])
  expect(stderr).toMatch(/^left behind: .*db, which was replaced, could not be put back: /m)
  await expect.poll(async () => (await tellOf(fleet)).servers.db?.state).toBe('ready')
  await expectPutBack(fleet, before)
  await fleet.run(['down'])
})

describe('the library', () => {
  const fleetOf = ({ name }: TestFleet, command: readonly string[]) => ({
    name,
    servers: { web: { image: base, command: [...command], ready: [{ exec: ['true'] }] } },
  })

  test('takes a fleet down at the second try when the engine refused the first', async () => {
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

  const broken = new Error('the listener is broken')

  test('takes a start back whose listener throws, and rejects with what it threw', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const starting = startFleet(fleetOf(fleet, ['sleep', '600']), {
      onEvent({ kind }) {
        if (kind === 'starting') throw broken
      },
    })
    await expect(starting).rejects.toBe(broken)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  for (const wanted of ['failed', 'rollingBack'])
    test(
      `takes a failed start back though its listener throws at \`${wanted}\``,
      wideIf(wanted === 'failed'),
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

  test('takes a fleet down though its listener throws, and rejects with what it threw', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const running = await startFleet(fleetOf(fleet, ['sleep', '600']), {
      onEvent({ kind }) {
        if (kind === 'removing') throw broken
      },
    })
    await expect(running.down()).rejects.toBe(broken)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test.each([0, -1, Number.NaN])('refuses %d ms as the time for a start, and touches nothing', async (timeoutMs) => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const starting = startFleet(fleetOf(fleet, ['sleep', '600']), { timeoutMs })
    await expect(starting).rejects.toMatchObject({ code: 'USAGE' })
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  for (const timeoutMs of [Number.POSITIVE_INFINITY, 25 * 86_400_000])
    test(`starts within ${timeoutMs} ms`, wideIf(timeoutMs === Number.POSITIVE_INFINITY), async () => {
      const fleet = await makeFleet([`web: ${sleeper}`])
      await using running = await startFleet(fleetOf(fleet, ['sleep', '600']), { timeoutMs })
      expect(running.server('web').state).toBe('ready')
    })
})
