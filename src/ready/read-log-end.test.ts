import { expect, test } from 'vitest'
import type { Runtime } from '../runtime/runtime.ts'
import { collapseRepeats, readLogEnd } from './read-log-end.ts'

const logOf = (text: string) => ({
  containerId: 'c',
  runtime: {
    async *readLogs() {
      yield { stream: 'stdout', bytes: Buffer.from(text) }
    },
  } as unknown as Runtime,
})
const never = new AbortController().signal

test('lines that a ready check causes leave room for earlier lines of the server', async () => {
  const probes = Array.from(
    { length: 100 },
    (_, index) => `10.0.0.1 [29/Nov/2026:23:00:${index % 60}] "GET / HTTP/1.1" 404`,
  )
  const said = ['starting', 'cannot open /data/config.json', ...probes]
  expect(await readLogEnd(logOf(said.join('\n')), never)).toEqual([
    'starting',
    'cannot open /data/config.json',
    probes[0],
    '… 99 more like it',
  ])
})

test('alternating lines are shown as one repeat, and different lines are not', () => {
  const turns = Array.from({ length: 8 }, (_, index) => `${index % 2 === 0 ? '' : 'dis'}connect from 10.0.0.${index}`)
  expect(collapseRepeats(turns)).toEqual([turns[0], '… 3 more like it', turns[1], '… 3 more like it'])
  expect(collapseRepeats(turns.slice(0, 6))).toEqual(turns.slice(0, 6))
  for (const lines of [
    ['a', 'b', 'c'],
    ['1', '2', '3', '4', '5'],
    ['GET / 200', 'GET / 301', 'GET / 404', 'GET / 500'],
    ['loading', 'b', 'c', 'd', 'e', 'loading'],
  ])
    expect(collapseRepeats(lines)).toEqual(lines)
})

test('equal short lines are shown as one repeat', () => {
  expect(collapseRepeats(Array.from({ length: 20 }, () => 'GET / 404'))).toEqual(['GET / 404', '… 19 more like it'])
})

test('an endless line does not fill the message', async () => {
  const shown = await readLogEnd(logOf(`${'x'.repeat(900_000)}\nbye\n`), never)
  expect(shown.at(-1)).toBe('bye')
  expect(shown.join('\n').length).toBeLessThan(20_000)
})
