import { expect, test } from 'vitest'
import { collectLines } from './build-log.ts'

test('chunks become lines, and characters are never split', () => {
  const lines = collectLines()
  const bytes = Buffer.from('grüße\nzwei\nrest')
  const said = [...bytes].flatMap((byte) => lines.add(Buffer.from([byte])))
  expect(said).toEqual(['grüße', 'zwei'])
  expect(lines.last()).toEqual(['grüße', 'zwei', 'rest'])
  expect(lines.finish()).toEqual(['rest'])
  expect(lines.finish()).toEqual([])
  expect(lines.last()).toEqual(['grüße', 'zwei', 'rest'])
})

test('the last forty lines are kept', () => {
  const lines = collectLines()
  lines.add(Buffer.from(Array.from({ length: 100 }, (_, i) => `${i}\n`).join('')))
  expect(lines.last()).toEqual(Array.from({ length: 40 }, (_, i) => String(i + 60)))
})

test('colours and carriage returns are removed', () => {
  const lines = collectLines()
  expect(lines.add(Buffer.from('10%\r50%\r100%\r\n\u001b[31mred\u001b[0m\u0007\n'))).toEqual(['100%', 'red'])
})

test('an endless line takes bounded memory', () => {
  const lines = collectLines()
  for (let i = 0; i < 100; i++) lines.add(Buffer.alloc(10_000, 'x'))
  expect(lines.last()).toEqual([`…${'x'.repeat(4096)}`])
})
