import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { propertyRuns } from '../../tests/support/property-runs.ts'
import type { TestfleetEvent } from '../api/events.ts'
import { TestfleetError } from '../model/failures.ts'
import { toJsonText } from './answer.ts'
import { formatFailure } from './format-failure.ts'
import { openOutput } from './output.ts'
import { choosePalette } from './palette.ts'
import { openPlainProgress } from './plain-progress.ts'
import { cleanText, markLines, ownCommand } from './terminal-text.ts'

const palette = choosePalette(true, true, {})
/** All that a terminal may obey or hide, the colours of testfleet excepted. */
const control = /(?![\n\t])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours that the palette makes here
const ours = /\u001b\[(?:31|33|36|1|2|22|39)m/g

const parts = [
  '\u001b[',
  '\u001b]',
  '\u009b',
  '\u009d',
  '\u0007',
  '\u001b\\',
  '31m',
  '2J',
  '52;c;',
  '0K',
  '\r',
  '\n',
  '\b',
]
const hidden = [
  '\u200b',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\u2028',
  '\u00ad',
  '\ufe0f',
  '::',
  '##[',
  '##',
  '[',
  '#',
  'text',
  ' ',
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...parts, ...hidden), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 12 })
  .map((texts) => texts.join(''))

afterEach(() => {
  vi.restoreAllMocks()
})

const envelope = { time: '2026-01-01T00:00:00.000Z', session: 'shop', operation: { id: '1', name: 'up' } }

test('for any data, text output has no control sequences except those of testfleet, and JSON keeps the data', () => {
  const written: string[] = []
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  }
  const output = openOutput({ json: false, quiet: false, verbose: true, color: true })
  fc.assert(
    fc.property(hostile, (said) => {
      written.splice(0)
      output.write(said)
      output.tell(`${output.palette.style('red', said)}\n`)
      output.onEvent({ ...envelope, kind: 'warning', data: { message: `x${said}` } })
      for (const text of written) expect(text.replaceAll(ours, '')).not.toMatch(control)
      output.writeData(said)
      expect(written.at(-1)).toBe(said)
    }),
  )
})

test('for any data, a terminal receives no control sequences except those of testfleet', () => {
  fc.assert(
    fc.property(hostile, hostile, fc.boolean(), (one, other, isOnCi) => {
      const written = cleanText(`${one}${palette.style('red', other)}${one}\n`, isOnCi)
      expect(written.match(ours)?.length).toBe(2)
      expect(written.replaceAll(ours, '')).not.toMatch(control)
    }),
    { numRuns: propertyRuns(2000) },
  )
})

test('for any data, no line is a command for a CI job except those of testfleet', () => {
  fc.assert(
    fc.property(hostile, hostile, (one, other) => {
      const command = ownCommand('::group::x')
      const written = cleanText(`${one}${palette.style('red', other)}${one}\n${command}\n`, true)
      expect(written.match(/^\s*::.*$/gm)?.map((line) => line.trim())).toEqual(['::group::x'])
      expect(written).not.toMatch(/##(?:vso|teamcity)?\[/)
    }),
    { numRuns: propertyRuns(2000) },
  )
})

test('each message of progress and each failure stays on its lines, for any text of servers and engines', () => {
  fc.assert(
    fc.property(hostile, (said) => {
      let written = ''
      const progress = openPlainProgress((text) => (written += cleanText(text, true)), palette, true)
      const events: TestfleetEvent[] = [
        { ...envelope, kind: 'server.waiting', data: { server: 'web', check: 'exec sh', answer: said } },
        { ...envelope, kind: 'image.output', data: { servers: ['web'], image: 'x', line: said } },
        { ...envelope, kind: 'warning', data: { message: said } },
      ]
      for (const event of events) progress.onEvent(event)
      expect(written.replaceAll(ours, '')).not.toMatch(control)
      expect(written.split('\n')).toHaveLength(4)
      const failure = new TestfleetError('SERVER_DIED', said, { hint: said, output: [said] })
      const failed = cleanText(formatFailure(failure, palette), true)
      expect(failed.replaceAll(ours, '')).not.toMatch(control)
      expect(failed.split('\n')).toHaveLength(4)
    }),
  )
})

test('JSON keeps its value, without characters that a terminal interprets', () => {
  fc.assert(
    fc.property(hostile, (said) => {
      const text = toJsonText({ [said]: [said] })
      expect(text).not.toMatch(control)
      expect(JSON.parse(text)).toEqual({ [said]: [said] })
    }),
  )
})

test('a mark begins each line, except of our own commands for a CI job', () => {
  const text = `one\n\n${ownCommand('::group::logs')}\n${ownCommand('\u001b[31m')}red${ownCommand('\u001b[0m')}\n::no command\n`
  expect(cleanText(markLines(text, '[1] '), true)).toBe(
    '[1] one\n[1] \n::group::logs\n[1] \u001b[31mred\u001b[0m\n[1] ::no command\n',
  )
  expect(markLines('', '[1] ')).toBe('')
  expect(markLines('no end', '[1] ')).toBe('[1] no end')
})
