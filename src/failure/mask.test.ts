import { describe, expect, test } from 'vitest'
import { TestfleetError } from '../model/failures.ts'
import { createMask, maskFailure } from './mask.ts'

const value = 'pass"word\\with <odd> & größe/letters+1'
const mask = createMask([value])

/** Escapes JSON as Python's json.dumps does. */
const toAscii = (text: string): string =>
  text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Escapes JSON as Go's encoding/json does. */
const toGo = (text: string): string =>
  text.replaceAll(/[<>&]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

describe('a mask', () => {
  const json = JSON.stringify(value).slice(1, -1)
  test.each([
    ['as it is', value],
    ['in JSON', json],
    ['in ASCII-only JSON', toAscii(json)],
    ['in HTML-safe JSON', toGo(json)],
    ['in JSON with slashes escaped', json.replaceAll('/', '\\/')],
    ['encoded for a URL', encodeURIComponent(value)],
    ['encoded for a URL, in lower case', encodeURIComponent(value).replaceAll(/%../g, (byte) => byte.toLowerCase())],
    ['encoded for a form', new URLSearchParams({ value }).toString().slice('value='.length)],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64 for URLs', Buffer.from(value).toString('base64url')],
  ])('masks a secret %s', (_, written) => {
    expect(mask.text(`before ${written} after ${written}`)).toBe('before *** after ***')
  })

  test.each(['', 'u', 'us', 'user:', 'someone:'])('masks a secret in the base64 of `%s` and the secret', (user) => {
    const middle = Buffer.from(`${user}s3cret-value`).toString('base64')
    const masked = createMask(['s3cret-value']).text(`Basic ${middle}`)
    expect(masked).toContain('***')
    expect(Buffer.from(masked.slice(6), 'base64').toString()).not.toContain('s3cret')
  })

  test('masks every line of a multi-line secret, wherever the line appears', () => {
    const pem = createMask(['-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n'])
    const log = '2026-01-01 MIIEvQIBADANBg\n2026-01-01 kqhkiG9w0BAQEF\n'
    expect(pem.text(log)).toBe('2026-01-01 ***\n2026-01-01 ***\n')
  })

  test('masks overlapping secrets, and a secret that begins with another one', () => {
    const two = createMask(['first-half', 'half-second', 'first'])
    expect(two.text('<first-half-second>, first, first-half')).toBe('<***>, ***, ***')
  })

  test('masks the beginning of a secret that was cut off', () => {
    expect(createMask(['0123456789abcdef']).text('says "key 0123456789ab…"')).toBe('says "key ***…"')
  })

  test('keeps words that contain a very short secret', () => {
    const short = createMask(['a', '42', '+'])
    expect(short.text('a cat has 42 of 420, a=a')).toBe('*** cat has *** of 420, ***=***')
  })

  test('keeps masked JSON valid', () => {
    const numbers = createMask(['12345', 'name-of-key'])
    const masked = numbers.json({ 'name-of-key': [12345, 1, true, null, 'x 12345'], nested: { port: 99123456 } })
    expect(masked).toEqual({ '***': ['***', 1, true, null, 'x ***'], nested: { port: '***' } })
  })

  test('masks a secret of thousands of lines in a long text quickly', { timeout: 60_000 }, () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `line-of-a-certificate-${index}`)
    const many = createMask([lines.join('\n')])
    const text = `${lines.join(' x\n')} x\n`.repeat(10)
    expect(many.text(text)).toBe('*** x\n'.repeat(10_000))
  })

  test.each([64, 76])('masks base64 that is wrapped at %i columns, wherever the secret begins in it', (columns) => {
    const secret = 'correct-horse/battery+staple?'.repeat(4)
    const masked = createMask([secret])
    for (const before of ['', 'u', 'us', 'user:', 'x'.repeat(50)]) {
      const encoded = Buffer.from(`${before}${secret}, and more`).toString('base64')
      const lines = encoded.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []
      for (const end of ['\n', '\r\n', '\\n', '\n  ']) {
        const shown = masked.text(lines.join(end)).replaceAll(/\*+|\\n|\s/g, '')
        const spare = Buffer.from(encoded).length - Buffer.from(secret).toString('base64').length
        expect(shown.length).toBeLessThanOrEqual(spare + 4)
      }
      // With a prefix before each line, only a few letters next to the line ends can remain.
      for (const line of lines.map((one) => masked.text(`2026-01-01T00:00:00Z web | ${one}`))) {
        expect(Buffer.from(line.slice(27), 'base64').toString('latin1')).not.toMatch(/horse|battery|staple/)
      }
    }
  })

  test.each([
    ['in hexadecimal', Buffer.from(value).toString('hex')],
    ['in hexadecimal of capitals', Buffer.from(value).toString('hex').toUpperCase()],
    [
      'in HTML',
      value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    ],
  ])('masks a secret %s', (_, written) => {
    expect(mask.text(`before ${written} after`)).toBe('before *** after')
  })

  test.each([
    ['a backspace', '\b'],
    ['a colour', '\u001b[31m'],
    ['a title', '\u001b]0;title\u0007'],
    ['a zero-width space', '\u200b'],
    ['a direction override', '\u202e'],
    ['a variation selector', '\ufe0f'],
    ['a carriage return', '\r'],
  ])('masks a secret that contains %s', (_, hidden) => {
    const secret = 'p@ss<w&rd/Xy'
    for (const at of [1, 5, 11]) {
      const said = `<${secret.slice(0, at)}${hidden}${secret.slice(at)}>`
      expect(createMask([secret]).text(said)).toBe('<***>')
      expect(createMask([`${secret.slice(0, at)}${hidden}${secret.slice(at)}`]).text(`<${secret}>`)).toBe('<***>')
    }
    expect(createMask([secret]).text(`\u001b]0;${secret}\u0007`)).toBe('\u001b]0;***\u0007')
  })

  test('masks the end of a secret whose beginning was cut off, and most of a long one', () => {
    expect(createMask(['0123456789abcdef']).text('…89abcdef is the key')).toBe('…*** is the key')
    const long = Array.from({ length: 100 }, (_, index) => `${index}|`).join('')
    expect(createMask([long]).text(long.slice(50, 250)).length).toBeLessThan(20)
  })

  test('takes time linear in the length of the text, for all kinds of secrets, cuts and hidden characters', {
    timeout: 60_000,
  }, () => {
    const pem = Array.from({ length: 640 }, (_, index) => `${index}`.padStart(64, 'MIIEvQIBADAN')).join('\n')
    const hostile = createMask([pem, '-'.repeat(40_000), `${'a'.repeat(40)}b`, 'short-secret'])
    const measure = (text: string): number => {
      const before = process.cpuUsage()
      hostile.text(text)
      return (process.cpuUsage(before).user + process.cpuUsage(before).system) / 1000
    }
    for (const unit of ['abcde…', '-----', 'a', 'a…', 'aaaaaa…', '\u001b]', 'a\u200b', 'MIIEvQIBADAN', '\n']) {
      const [small, large] = [12_500, 100_000].map((size) => unit.repeat(Math.ceil(size / unit.length)))
      const [first, eightTimes] = [measure(small as string), measure(large as string)]
      // Quadratic time would be 64 times as long.
      expect(eightTimes, JSON.stringify(unit)).toBeLessThan(30 * Math.max(first, 5))
    }
  })

  test('changes nothing without secrets', () => {
    expect(createMask(['']).text('any …')).toBe('any …')
  })
})

test('masks everything that is printed of a failure', async () => {
  const { inspect } = await import('node:util')
  const cause = new Error(`the engine said ${value}`, { cause: value })
  const failure = new TestfleetError('SERVER_DIED', `died of ${value}`, { hint: value, output: [value], cause })
  expect(inspect(failure)).toContain('größe')
  maskFailure(failure, mask)
  expect(inspect(failure)).not.toContain('größe')
  expect(failure).toMatchObject({ message: 'died of ***', hint: '***', output: ['***'] })
})
