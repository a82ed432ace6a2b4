import { describe, expect, test } from 'vitest'
import { execProcess } from './exec-process.ts'
import { findTree, killTree } from './process-tree.ts'

const userId = process.getuid?.()
const place = { folder: '/', userId }
const spec = {
  command: ['true'],
  folder: '/',
  environment: { PATH: process.env.PATH ?? '' },
  ports: [],
  restarts: 0,
  stopSignal: 'SIGTERM',
  stopGraceMs: 0,
} as const

describe.runIf(process.platform === 'linux')('a command in a process server', () => {
  const command = ['sh', '-c', 'sleep 600 & echo done; exit 3']

  test('ends with its first process, although a program that stays keeps its output open', async () => {
    const id = `process-exec-${process.pid}`
    const running = await execProcess({ ...place, id }, spec, { command }, {})
    let text = ''
    for await (const { bytes } of running.output) text += bytes
    expect([text, await running.exitCode()]).toEqual(['done\n', 3])
    expect(findTree({ id, userId })).toHaveLength(1)
    expect(await killTree({ id, userId })).toEqual([])
  })

  test('can be interrupted while its output is open', async () => {
    const id = `process-abort-${process.pid}`
    const stop = new AbortController()
    const running = await execProcess({ ...place, id }, spec, { command }, { signal: stop.signal })
    const reading = (async () => {
      for await (const _ of running.output) stop.abort(new Error('interrupted'))
    })()
    await expect(reading).rejects.toThrow('interrupted')
    expect(findTree({ id, userId })).toEqual([])
  })

  // Each time at another moment: its first process often starts the other one and ends while its processes are listed.
  test.for(Array.from({ length: 20 }, (_, time) => time))('can be interrupted while it starts, time %d', async () => {
    const id = `process-starting-${process.pid}`
    const stop = new AbortController()
    const starting = execProcess({ ...place, id }, spec, { command }, { signal: stop.signal })
    // It has started, and this process does not know it yet.
    stop.abort(new Error('interrupted'))
    await expect(starting.then((running) => running.exitCode())).rejects.toThrow('interrupted')
    expect(findTree({ id, userId })).toEqual([])
  })

  test('can be interrupted when its output has ended before it', async () => {
    const id = `process-closed-${process.pid}`
    const stop = new AbortController()
    const silent = ['sh', '-c', 'exec >&- 2>&-; exec sleep 600']
    const running = await execProcess({ ...place, id }, spec, { command: silent }, { signal: stop.signal })
    for await (const _ of running.output);
    stop.abort(new Error('interrupted'))
    await expect(running.exitCode()).rejects.toThrow('interrupted')
    expect(findTree({ id, userId })).toEqual([])
  })

  test('that would get more than the system allows is refused', async () => {
    const request = { command: ['true'], environment: { LONG: 'x'.repeat(140_000) } }
    await expect(execProcess({ ...place, id: 'process-long' }, spec, request, {})).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('the longest is LONG, with 140000 bytes'),
    })
  })
})
