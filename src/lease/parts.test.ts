import { expect, test } from 'vitest'
import { MAX_LINE_LENGTH } from '../lender/protocol.ts'
import { Parts, splitText } from './parts.ts'

test('a long request arrives whole in lines that are short enough', () => {
  const request = { refresh: { kind: 'object', value: '"\\\n\u{1f600}'.repeat(40_000) } }
  const parts = new Parts()
  const texts = splitText(JSON.stringify(request))
  expect(texts.length).toBeGreaterThan(5)
  for (const text of texts) {
    const line = JSON.stringify({ part: text, id: 1e15 })
    expect(line.length).toBeLessThan(MAX_LINE_LENGTH)
    parts.add(JSON.parse(line).part)
  }
  expect(parts.take()).toEqual(request)
  expect(parts.take()).toBeUndefined()
})

test('parts that are no text, too long together, or no JSON are refused, and forgotten', () => {
  const parts = new Parts()
  expect(() => parts.add(5)).toThrow('`part` must be a text')
  expect(() => {
    for (let sent = 0; sent < 100; sent++) parts.add('x'.repeat(60_000))
  }).toThrow('longer than 4 MiB: the lender lends as before until the session is started again')
  expect(parts.take()).toBeUndefined()
  parts.add('{"refresh":')
  expect(() => parts.take()).toThrow('the parts are no JSON')
  expect(parts.take()).toBeUndefined()
})
