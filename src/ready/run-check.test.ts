import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { ExecProcess } from '../engine/engine.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { type CheckSubject, runCheck } from './run-check.ts'

describe('an exec check', () => {
  /** Programs that hang until they are ended, except in the tries with these numbers. */
  function checkThat(endsAtTry: number): { answers: Promise<string[]>; ended: () => number } {
    let tries = 0
    let ended = 0
    const exec = async (_id: string, _request: unknown, { signal }: { signal: AbortSignal }): Promise<ExecProcess> => {
      const isLast = ++tries === endsAtTry
      const output = (async function* () {
        if (isLast) return
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        ended++
        throw signal.reason
      })()
      return { output, exitCode: async () => 0, write: async () => {}, endInput() {}, resize: async () => {} }
    }
    const subject = { server: 's', hostname: 's', containerId: 'c', runtime: { exec } as unknown as Runtime }
    const check = runCheck({ kind: 'exec', command: ['x'] }, subject as unknown as CheckSubject)
    const answers: string[] = []
    const held = check.hold(new AbortController().signal, (answer) => answers.push(answer), 0)
    return { answers: held.then(() => answers), ended: () => ended }
  }

  test('ends an attempt that hangs, and gives the next one twice the time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { answers, ended } = checkThat(4)
      while (ended() < 3) {
        vi.advanceTimersByTime(100)
        // The pauses between tries take real time.
        await sleep(1)
      }
      expect(await answers).toEqual([1, 2, 4].map((seconds) => `did not end within ${seconds} s, and was ended`))
      expect(ended()).toBe(3)
    } finally {
      vi.useRealTimers()
    }
  })
})
