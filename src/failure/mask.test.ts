import { describe, expect, test } from 'vitest'
import { TestfleetError } from '../model/failures.ts'
import { createMask, maskFailure } from './mask.ts'

const value = 'pass"word\\with <odd> & größe/letters+1'
const mask = createMask([value])

/** As Python's json.dumps does it. */
const toAscii = (text: string): string =>
  text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** As Go's encoding/json does it. */
const toGo = (text: string): string =>
  text.replaceAll(/[<>&]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

describe('a mask', () => {
  const json = JSON.stringify(value).slice(1, -1)
  test.each([
    ['as it is', value],
    ['in JSON', json],
    ['in JSON of ASCII alone', toAscii(json)],
    ['in JSON fit for HTML', toGo(json)],
    ['in JSON with slashes escaped', json.replaceAll('/', '\\/')],
    ['encoded for a URL', encodeURIComponent(value)],
    ['encoded for a URL, in lower case', encodeURIComponent(value).replaceAll(/%../g, (byte) => byte.toLowerCase())],
    ['encoded for a form', new URLSearchParams({ value }).toString().slice('value='.length)],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64 for URLs', Buffer.from(value).toString('base64url')],
  ])('takes a secret out %s', (_, written) => {
    expect(mask.text(`before ${written} after ${written}`)).toBe('before *** after ***')
  })

  test.each(['', 'u', 'us', 'user:', 'someone:'])('takes it out of the base64 of `%s` and the secret', (user) => {
    const middle = Buffer.from(`${user}s3cret-value`).toString('base64')
    const masked = createMask(['s3cret-value']).text(`Basic ${middle}`)
    expect(masked).toContain('***')
    expect(Buffer.from(masked.slice(6), 'base64').toString()).not.toContain('s3cret')
  })

  test('takes out every line of one of several lines, wherever it stands', () => {
    const pem = createMask(['-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n'])
    const log = '2026-01-01 MIIEvQIBADANBg\n2026-01-01 kqhkiG9w0BAQEF\n'
    expect(pem.text(log)).toBe('2026-01-01 ***\n2026-01-01 ***\n')
  })

  test('takes out all of two that overlap, and of one that begins another', () => {
    const two = createMask(['first-half', 'half-second', 'first'])
    expect(two.text('<first-half-second>, first, first-half')).toBe('<***>, ***, ***')
  })

  test('takes out the beginning of one that was cut', () => {
    expect(createMask(['0123456789abcdef']).text('says "key 0123456789ab…"')).toBe('says "key ***…"')
  })

  test('leaves words whole that a very short secret is a part of', () => {
    const short = createMask(['a', '42', '+'])
    expect(short.text('a cat has 42 of 420, a=a')).toBe('*** cat has *** of 420, ***=***')
  })

  test('leaves JSON that is JSON', () => {
    const numbers = createMask(['12345', 'name-of-key'])
    const masked = numbers.json({ 'name-of-key': [12345, 1, true, null, 'x 12345'], nested: { port: 99123456 } })
    expect(masked).toEqual({ '***': ['***', 1, true, null, 'x ***'], nested: { port: '***' } })
  })

  test('takes thousands of lines of a secret out of a long text in little time', () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `line-of-a-certificate-${index}`)
    const many = createMask([lines.join('\n')])
    const text = `${lines.join(' x\n')} x\n`.repeat(20)
    expect(many.text(text)).toBe('*** x\n'.repeat(60_000))
  })

  test('without secrets, changes nothing', () => {
    expect(createMask(['']).text('any …')).toBe('any …')
  })
})

test('a failure is masked with all that is printed of it', async () => {
  const { inspect } = await import('node:util')
  const cause = new Error(`the engine said ${value}`, { cause: value })
  const failure = new TestfleetError('SERVER_DIED', `died of ${value}`, { hint: value, output: [value], cause })
  expect(inspect(failure)).toContain('größe')
  maskFailure(failure, mask)
  expect(inspect(failure)).not.toContain('größe')
  expect(failure).toMatchObject({ message: 'died of ***', hint: '***', output: ['***'] })
})
