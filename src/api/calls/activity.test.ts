import { expect, test } from 'vitest'
import type { LogLine } from '../../logs.ts'
import type { Tools } from '../../tools.ts'
import { readEnd, readEvents } from './activity.ts'

async function* log(count: number, text: string): AsyncGenerator<LogLine> {
  for (let line = 0; line < count; line++)
    yield { server: 'db', stream: 'stdout', text: `2026-01-01T12:00:00.000000000Z ${text}` } as LogLine
}

test('the end of a log has at most 64 KiB with its line feeds, also of blank lines, and at least one line', async () => {
  const counts = async (count: number, text: string): Promise<number[]> => {
    const { lines, leftOut } = await readEnd(log(count, text))
    return [lines.length, leftOut]
  }
  expect(await counts(70_000, '')).toEqual([65_536, 4464])
  expect(await counts(1000, 'x'.repeat(1023))).toEqual([64, 936])
  expect(await counts(2, 'x'.repeat(100_000))).toEqual([1, 1])
  expect(await counts(0, '')).toEqual([0, 0])
})

test('events that cannot be read to their end do not hide the logs, and a call that is aborted fails', async () => {
  async function* followServers(): AsyncGenerator<never> {
    yield* []
    throw new Error('the engine does not answer')
  }
  const runtime: Pick<Tools['runtime'], 'followServers'> = { followServers }
  const range = { sinceMs: 0, untilMs: 1 }
  expect(await readEvents({ id: '1' }, range, { runtime, signal: new AbortController().signal })).toEqual([])
  const late = readEvents({ id: '1' }, range, { runtime, signal: AbortSignal.abort() })
  await expect(late).rejects.toMatchObject({ name: 'AbortError' })
})
