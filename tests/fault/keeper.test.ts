import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { currentHost } from '../../src/current-host.ts'
import { label } from '../../src/model/labels.ts'
import { keeperSocket } from '../../src/sessions/keeper/protocol.ts'
import { makeId } from '../../src/sessions/make-id.ts'
import { mainFile, withEngine } from '../support/command.ts'
import { report } from '../support/fault.ts'
import { findKeeper } from '../support/holds.ts'
import { endFleets, makeFleet, sleeper } from '../support/test-fleet.ts'

const counts = { 'memory, MB': 0, 'CPU time in 5 s, ms': 0 }

// Not after each: all are at work side by side.
afterAll(endFleets)
afterAll(() => report('keeper', counts))

const MB = 1024 ** 2
/** Of the clock by which the kernel counts CPU time (sysconf(3), _SC_CLK_TCK: 100 on Linux). */
const TICK_MS = 10

function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

function cpuTimeMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Its CPU time once it has started: on a busy machine, its start takes long. */
async function restOf(pid: number): Promise<number> {
  for (let before = -1, now = cpuTimeMsOf(pid); ; before = now, now = cpuTimeMsOf(pid)) {
    if (now === before) return now
    await sleep(1000)
  }
}

const onLinux = { concurrent: true, skip: process.platform !== 'linux' }

test('a keeper that guards a session uses almost no CPU time and at most 60 MB', onLinux, async () => {
  const fleet = await makeFleet([`web: ${sleeper}`])
  expect((await fleet.run(['up', '--ttl', '10m'])).exitCode).toBe(0)
  const { pid } = await findKeeper(fleet)
  const before = await restOf(pid)
  await sleep(5000)
  counts['CPU time in 5 s, ms'] = cpuTimeMsOf(pid) - before
  counts['memory, MB'] = Math.round(memoryOf(pid) / MB)
  expect(counts['memory, MB']).toBeLessThanOrEqual(60)
  expect(counts['CPU time in 5 s, ms']).toBeLessThanOrEqual(2 * TICK_MS)
  await fleet.run(['down'])
})

/** The keeper's program, as it comes: with an order that points it at a socket where nobody answers. */
function startKeeper(): { child: ReturnType<typeof spawn>; order: { readonly id: string; readonly endpoint: object } } {
  const main = mainFile.endsWith('.cjs') ? join(mainFile, '../../keeper/main.js') : currentHost().keeperFile
  const child = spawn(process.execPath, [main], { stdio: ['pipe', 'pipe', 'inherit'] })
  const id = makeId()
  const order = {
    id: makeId(),
    session: 'nothing-of-it-is-there',
    change: id,
    endpoint: { kind: 'socket', path: join(tmpdir(), `${id}-no-engine.sock`) },
    socket: keeperSocket(id, currentHost()),
  }
  return { child, order }
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve))
}

describe.concurrent('a keeper', () => {
  test('ends when its input closes without an order', async () => {
    const { child } = startKeeper()
    child.stdin?.end()
    expect(await exitOf(child)).toBe(0)
  })

  test('ends at once when it is told that nothing is left, even without an engine', async () => {
    const { child, order } = startKeeper()
    child.stdin?.write(`${JSON.stringify(order)}\n{"do":"end"}\n`)
    expect(await exitOf(child)).toBe(0)
  })

  test('keeps trying while there is no engine', async () => {
    const { child, order } = startKeeper()
    child.stdin?.end(`${JSON.stringify(order)}\n`)
    const exit = exitOf(child)
    expect(await Promise.race([exit, sleep(3000, 'still there')])).toBe('still there')
    child.kill('SIGKILL')
    await exit
  })
  test('removes objects that appear after all others of its session are gone', async () => {
    const { child, order } = startKeeper()
    const name = `late-${order.id}`
    await withEngine(async (engine) => {
      await engine.createVolume(name, { [label.session]: order.id })
      child.stdin?.end(`${JSON.stringify({ ...order, endpoint: engine.location.endpoint })}\n`)
      expect(await exitOf(child)).toBe(0)
      const left = await engine.listVolumes({ [label.session]: order.id })
      if (left.length > 0) await engine.removeVolume(name)
      expect(left).toEqual([])
    })
  })
})
