import { describe, expect, test } from 'vitest'
import type { OutputStream } from '../model/container.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { waitForLog } from './log.ts'

type Chunk = readonly [OutputStream, string | Uint8Array]

const inspectServer = async () => ({ restarts: 0, startedAtMs: 0, endedAtMs: 0 })

/** A runtime whose log consists of these pieces. */
function logOf(...chunks: readonly Chunk[]): Runtime {
  return {
    inspectServer,
    async *readLogs() {
      for (const [stream, bytes] of chunks) yield { stream, bytes: Buffer.from(bytes) }
    },
  } as unknown as Runtime
}

/** Returns whether the log has such a line. The log has ended, so there is nothing to wait for. */
async function has(runtime: Runtime, wanted: string | RegExp, times = 1): Promise<boolean> {
  const isIn = (line: string): boolean => (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line))
  const countIn = (lines: readonly string[]): number => lines.filter(isIn).length
  const stop = new AbortController()
  const onAnswer = (answer: string): void => {
    if (answer.includes('has ended')) stop.abort()
  }
  try {
    await waitForLog('id', { countIn, times }, runtime, stop.signal, onAnswer)
    return true
  } catch (error) {
    if (stop.signal.aborted) return false
    throw error
  }
}

describe('waitForLog', () => {
  test('finds a line however it is split into pieces', async () => {
    const text = 'first\nsecond: ready\nthird\n'
    for (let cut = 0; cut <= text.length; cut++) {
      const runtime = logOf(['stdout', text.slice(0, cut)], ['stdout', text.slice(cut)])
      expect(await has(runtime, 'second: ready')).toBe(true)
    }
  })

  test('finds a character that is split', async () => {
    const bytes = Buffer.from('größer\n')
    expect(await has(logOf(['stdout', bytes.subarray(0, 3)], ['stdout', bytes.subarray(3)]), 'größer')).toBe(true)
  })

  test('finds a text without an end of line', async () => {
    expect(await has(logOf(['stderr', 'mysql> ']), 'mysql>')).toBe(true)
  })

  test('does not mix the two streams', async () => {
    expect(await has(logOf(['stdout', 'rea'], ['stderr', 'dy\n']), 'ready')).toBe(false)
    expect(await has(logOf(['stdout', 'rea'], ['stderr', 'noise\n'], ['stdout', 'dy\n']), 'ready')).toBe(true)
  })

  test('examines one line at a time', async () => {
    expect(await has(logOf(['stdout', 'a\nb\n']), /a\s*b/)).toBe(false)
    expect(await has(logOf(['stdout', 'say b\nb\n']), /^b$/)).toBe(true)
  })

  test('ignores lines from before a restart of the server', async () => {
    const asked: unknown[] = []
    const details = { restarts: 1, startedAtMs: 5, endedAtMs: 0 }
    const runtime = {
      inspectServer: async () => details,
      async *readLogs(_: string, request: unknown) {
        asked.push(request)
        yield { stream: 'stdout', bytes: Buffer.from('up\n') }
      },
    } as unknown as Runtime
    expect(await has(runtime, 'up')).toBe(true)
    details.endedAtMs = 3
    expect(await has(runtime, 'up')).toBe(true)
    expect(asked).toEqual([
      { follow: true, sinceMs: 5 },
      { follow: true, sinceMs: 4 },
    ])
  })

  test('reads a log that has ended again, because its last line may arrive late', async () => {
    let reads = 0
    const runtime = {
      inspectServer,
      async *readLogs() {
        reads++
        if (reads === 3) yield { stream: 'stdout', bytes: Buffer.from('all done') }
      },
    } as unknown as Runtime
    await waitForLog(
      'id',
      { countIn: (lines) => lines.filter((line) => line === 'all done').length, times: 1 },
      runtime,
      new AbortController().signal,
      () => {},
    )
    expect(reads).toBe(3)
  })

  test.each([
    ['Server \u001b[32mready\u001b[0m\n', 'Server ready'],
    ['\u001b]0;title\u0007ready\r\n', /^ready$/],
    ['10 %\r50 %\rready', /^ready$/],
    ['\u001b[1mA\u001b[0m\u001b[2Kb\n', /^Ab$/],
  ])('reads %j as a terminal shows it', async (text, wanted) => {
    expect(await has(logOf(['stdout', text]), wanted)).toBe(true)
    for (let cut = 1; cut < text.length; cut++)
      expect(await has(logOf(['stdout', text.slice(0, cut)], ['stdout', text.slice(cut)]), wanted)).toBe(true)
  })

  test('counts matching lines, including the last one without an end', async () => {
    const twice = logOf(['stdout', 'ready\nother\n'], ['stderr', 'ready'])
    expect(await has(twice, 'ready', 2)).toBe(true)
    expect(await has(twice, 'ready', 3)).toBe(false)
    expect(await has(logOf(['stdout', 'ready ready\n']), 'ready', 2)).toBe(false)
    expect(await has(logOf(['stdout', 'rea'], ['stdout', 'dy'], ['stdout', ' now\n']), 'ready', 2)).toBe(false)
  })

  test('needs bounded memory for a line that never ends', async () => {
    const chunks = Array.from({ length: 64 }, (): Chunk => ['stdout', 'x'.repeat(64 * 1024)])
    expect(await has(logOf(...chunks, ['stdout', 'ready\n']), 'xready')).toBe(true)
  })
})
