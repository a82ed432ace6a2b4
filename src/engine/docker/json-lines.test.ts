import { expect, test } from 'vitest'
import { errorIn, readJsonLines } from './json-lines.ts'

async function read(text: string, size: number): Promise<unknown[]> {
  const bytes = Buffer.from(text)
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  })()
  const lines: unknown[] = []
  for await (const line of readJsonLines(chunks)) lines.push(line)
  return lines
}

test('lines are complete wherever the connection splits them', async () => {
  const text = '{"status":"grüße"}\r\n\n{"stream":"日本\\n"}\nno json\n[1]\n{"error":"end"}'
  for (let size = 1; size < 20; size++) {
    expect(await read(text, size)).toEqual([{ status: 'grüße' }, { stream: '日本\n' }, {}, { error: 'end' }])
  }
})

test('an error is found in all its forms', () => {
  expect(errorIn({ errorDetail: { message: 'a' }, error: 'b' })).toBe('a')
  expect(errorIn({ error: 'b' })).toBe('b')
  expect(errorIn({ errorDetail: { code: 1 } })).toBe('the engine does not say why')
  expect(errorIn({ status: 'error' })).toBeUndefined()
})
