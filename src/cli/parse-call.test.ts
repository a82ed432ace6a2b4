import { describe, expect, test } from 'vitest'
import { parseCall } from './parse-call.ts'

describe('parseCall', () => {
  test('takes options before and after operands, and leaves what stands behind -- alone', () => {
    const call = parseCall('run', [
      '--server',
      'a',
      '--json',
      '--server=b',
      '-f',
      'x.yaml',
      '--',
      'curl',
      '--json',
      '-f',
    ])
    expect(call.options.server).toEqual(['a', 'b'])
    expect(call.file).toBe('x.yaml')
    expect(call.json).toBe(true)
    expect(call.command).toEqual(['curl', '--json', '-f'])
  })

  test('lets logs -f follow', () => {
    expect(parseCall('logs', ['-f', 'web']).options.follow).toBe(true)
  })

  test.each([
    ['upp', [], /no command "upp"/, /testfleet up/],
    ['up', ['--sesion', 'x'], /no option --sesion/, /--session/],
    ['exec', ['web'], /after `--`/, /Usage/],
    ['exec', ['--', 'ls'], /server is missing/, /Usage/],
    ['exec', ['a', 'b', '--', 'ls'], /one server at a time/, /Usage/],
    ['run', ['web', '--', 'ls'], /does not take "web"/, /Usage/],
    ['ps', ['web'], /does not take "web"/, /Usage/],
    ['up', ['--', 'ls'], /takes nothing after/, /Usage/],
    ['up', ['-f'], /argument missing/i, /--help/],
    ['__proto__', [], /no command/, /help/],
  ])('%s %j is told to be wrong', (name, words, message, hint) => {
    expect(() => parseCall(name, words)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        exitCode: 2,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    )
  })
})
