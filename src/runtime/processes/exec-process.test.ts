import { describe, expect, test } from 'vitest'
import { execProcess } from './exec-process.ts'
import { findTree, killTree } from './process-tree.ts'

const userId = process.getuid?.()
const spec = {
  command: ['true'],
  folder: '/',
  environment: { PATH: process.env.PATH ?? '' },
  ports: [],
  restarts: 0,
  stopSignal: 'SIGTERM',
  stopGraceMs: 0,
} as const

describe.runIf(process.platform === 'linux')(
  'a command in a process server that leaves a program with its output',
  () => {
    const command = ['sh', '-c', 'sleep 600 & echo done; exit 3']

    test('ends with its first process, and the program stays', async () => {
      const id = `process-exec-${process.pid}`
      const running = await execProcess(id, spec, { command }, userId, {})
      let text = ''
      for await (const { bytes } of running.output) text += bytes
      expect([text, await running.exitCode()]).toEqual(['done\n', 3])
      expect(findTree({ id, userId })).toHaveLength(1)
      expect(await killTree({ id, userId })).toEqual([])
    })

    test('can be interrupted while its output is open', async () => {
      const id = `process-abort-${process.pid}`
      const stop = new AbortController()
      const running = await execProcess(id, spec, { command }, userId, { signal: stop.signal })
      const reading = (async () => {
        for await (const _ of running.output) stop.abort(new Error('interrupted'))
      })()
      await expect(reading).rejects.toThrow('interrupted')
      expect(findTree({ id, userId })).toEqual([])
    })
  },
)
