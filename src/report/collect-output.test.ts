import { expect, test } from 'vitest'
import type { ExecProcess } from '../engine/engine.ts'
import { collectOutput } from './collect-output.ts'

test('a command with endless output fails, and reading stops', async () => {
  let read = 0
  let hasEnded = false
  async function* print() {
    try {
      for (;;) {
        read += 1000
        yield { stream: read % 2000 === 0 ? 'stderr' : 'stdout', bytes: new Uint8Array(1000) }
      }
    } finally {
      hasEnded = true
    }
  }
  const endless = { output: print(), exitCode: async () => 0 } as unknown as ExecProcess
  await expect(collectOutput(endless, 10_000)).rejects.toMatchObject({ code: 'OUTPUT_TOO_LONG', exitCode: 1 })
  expect({ read, hasEnded }).toEqual({ read: 11_000, hasEnded: true })
})
