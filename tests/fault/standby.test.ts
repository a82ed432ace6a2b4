import { spawn } from 'node:child_process'
import { afterAll, describe, expect, test } from 'vitest'
import { currentHost } from '../../src/current-host.ts'
import { connectLender } from '../../src/lender/client.ts'
import { ownHolder } from '../../src/sessions/keeper/client.ts'
import { hold } from '../../src/standby/control.ts'
import type { Offer, StandbySource } from '../../src/standby/protocol.ts'
import { programOf, standbySocket } from '../../src/standby/socket.ts'
import { waitForNothing } from '../support/command.ts'
import { endFleets, makeFleet, sleeper } from '../support/test-fleet.ts'

afterAll(endFleets)

const never = new AbortController().signal
const soon = { timeoutMs: 60_000 }

async function warm() {
  const fleet = await makeFleet([`web: ${sleeper}`])
  const path = `${fleet.folder}/testfleet.yaml`
  const source: StandbySource = { kind: 'file', path, realPath: path }
  const host = currentHost(fleet.folder)
  const settings = { size: 1, idleMs: 600_000, memoryBytes: undefined }
  const status = await hold({ source, settings }, host, never, () => {})
  expect(status.ready).toHaveLength(1)
  return { fleet, host, source, pid: status.pid }
}

type Warmed = Awaited<ReturnType<typeof warm>>

/** Reserves the copy as a caller does, and asks for it on behalf of a process that is then killed. */
async function beginTaking({ host, source }: Warmed, untilTaken: boolean) {
  const client = await connectLender(standbySocket(source, host))
  if (client === undefined) throw new Error('no lender')
  const opened = await client.ask({ do: 'open', program: programOf(host) }, soon)
  const offer = opened.offer as Offer
  expect(offer.copy).toMatch(/^[0-9a-f]{8}$/)
  const taker = spawn('sleep', ['600'])
  if (untilTaken) {
    const environment = Object.fromEntries(offer.variables.map((name) => [name, host.environment[name]]))
    const holder = ownHolder(taker.pid ?? 0)
    expect(await client.ask({ do: 'take', environment, holder }, soon)).toHaveProperty('record')
  }
  return { client, taker }
}

describe.concurrent('nothing is left of standby copies', () => {
  test('when the process that holds them is killed', async () => {
    const { fleet, pid } = await warm()
    process.kill(pid, 'SIGKILL')
    await waitForNothing(fleet.name)
  })

  test.for([false, true])('when a caller is killed while it takes one (asked for it: %s)', async (untilTaken) => {
    const warmed = await warm()
    const { client, taker } = await beginTaking(warmed, untilTaken)
    taker.kill('SIGKILL')
    client.close()
    const stopping = await connectLender(standbySocket(warmed.source, warmed.host))
    await stopping?.ask({ do: 'stop' }, soon)
    stopping?.close()
    await waitForNothing(warmed.fleet.name)
  })

  test('when both are killed', async () => {
    const warmed = await warm()
    const { taker } = await beginTaking(warmed, true)
    process.kill(warmed.pid, 'SIGKILL')
    taker.kill('SIGKILL')
    await waitForNothing(warmed.fleet.name)
  })
})
