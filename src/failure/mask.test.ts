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

  test('takes thousands of lines of a secret out of a long text in little time', { timeout: 60_000 }, () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `line-of-a-certificate-${index}`)
    const many = createMask([lines.join('\n')])
    const text = `${lines.join(' x\n')} x\n`.repeat(10)
    expect(many.text(text)).toBe('*** x\n'.repeat(10_000))
  })

  test.each([64, 76])('takes out base64 that is wrapped at %i columns, wherever in it the secret begins', (columns) => {
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
      // With something before each line, only a few letters next to the ends of lines can stay.
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
  ])('takes a secret out %s', (_, written) => {
    expect(mask.text(`before ${written} after`)).toBe('before *** after')
  })

  test.each([
    ['a backspace', '\b'],
    ['a colour', '\u001b[31m'],
    ['a title', '\u001b]0;title\u0007'],
    ['a space without width', '\u200b'],
    ['a turn of direction', '\u202e'],
    ['a variation selector', '\ufe0f'],
    ['a carriage return', '\r'],
  ])('takes one out that has %s in it', (_, hidden) => {
    const secret = 'p@ss<w&rd/Xy'
    for (const at of [1, 5, 11]) {
      const said = `<${secret.slice(0, at)}${hidden}${secret.slice(at)}>`
      expect(createMask([secret]).text(said)).toBe('<***>')
      expect(createMask([`${secret.slice(0, at)}${hidden}${secret.slice(at)}`]).text(`<${secret}>`)).toBe('<***>')
    }
    expect(createMask([secret]).text(`\u001b]0;${secret}\u0007`)).toBe('\u001b]0;***\u0007')
  })

  test('takes out the end of one whose beginning was cut, and most of a long one', () => {
    expect(createMask(['0123456789abcdef']).text('…89abcdef is the key')).toBe('…*** is the key')
    const long = Array.from({ length: 100 }, (_, index) => `${index}|`).join('')
    expect(createMask([long]).text(long.slice(50, 250)).length).toBeLessThan(20)
  })

  test('takes time that grows as its text does, whatever secrets, cuts and hidden characters there are', {
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
      const [small, large] = [25_000, 200_000].map((size) => unit.repeat(Math.ceil(size / unit.length)))
      const [first, eightTimes] = [measure(small as string), measure(large as string)]
      // Quadratic time would be 64 times as much.
      expect(eightTimes, JSON.stringify(unit)).toBeLessThan(30 * Math.max(first, 20))
    }
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
