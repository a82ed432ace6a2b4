import { describe, expect, test } from 'vitest'
import type { OutputChunk } from '../model/container.ts'
import { LineReader, readEnd } from './output-text.ts'

const chunk = Buffer.alloc(16 * 1024, 'x')

function feed(reader: LineReader, count: number): string[] {
  const lines: string[] = []
  for (let index = 0; index < count; index += 1) lines.push(...reader.read(chunk))
  return lines
}

async function* repeat(bytes: Uint8Array, count: number): AsyncGenerator<OutputChunk> {
  for (let index = 0; index < count; index += 1) yield { stream: 'stdout', bytes }
}

describe('an endless line', () => {
  test('is cut to its start, and the next line is complete', () => {
    const reader = new LineReader({ length: 1000, keeps: 'start' })
    expect(feed(reader, 100)).toEqual([])
    expect(reader.rest).toBe('x'.repeat(1000))
    expect(reader.read(Buffer.from('y\nnext\n'))).toEqual(['x'.repeat(1000), 'next'])
  })

  test('is cut to its end', () => {
    const reader = new LineReader({ length: 1000, keeps: 'end' })
    expect(feed(reader, 100)).toEqual([])
    expect(reader.read(Buffer.from('y\nnext\n'))).toEqual([`${'x'.repeat(999)}y`, 'next'])
  })

  test('is split, and nothing of it is lost', () => {
    const reader = new LineReader({ length: 1000, keeps: 'all' })
    const lines = [...feed(reader, 100), ...reader.read(Buffer.from('y\nz'))]
    expect(lines.join('')).toBe(`${'x'.repeat(100 * chunk.length)}y`)
    expect(Math.max(...lines.map(({ length }) => length))).toBe(1000)
    expect(reader.rest).toBe('z')
  })

  test.each(['start', 'end', 'all'] as const)(
    'takes time linear in its length when its %s is kept',
    { timeout: 60_000 },
    (keeps) => {
      const measure = (count: number): number => {
        const before = process.cpuUsage()
        feed(new LineReader({ length: 1024 * 1024, keeps }), count)
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1000
      }
      const [once, eightTimes] = [measure(125), measure(1000)]
      // Quadratic time would be 64 times as long.
      expect(eightTimes).toBeLessThan(30 * Math.max(once, 10))
    },
  )
})

test('the end of long output is kept, and a mark shows the cut', async () => {
  expect(await readEnd(repeat(Buffer.from('abc\n'), 2), 100)).toBe('abc\nabc\n')
  expect(await readEnd(repeat(Buffer.from('abc\n'), 1000), 6)).toBe('…c\nabc\n')
})

test('hundreds of megabytes of output take little memory', { timeout: 60_000 }, async () => {
  const before = process.memoryUsage.rss()
  const text = await readEnd(repeat(Buffer.alloc(1024 * 1024, 'x'), 400), 64 * 1024)
  expect(text).toHaveLength(64 * 1024 + 1)
  expect(process.memoryUsage.rss() - before).toBeLessThan(350 * 1024 * 1024)
})
