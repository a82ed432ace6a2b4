import { describe, expect, test } from 'vitest'
import type { Host } from '../model/host.ts'
import { readExecRequest } from './exec-request.ts'
import { parseCall } from './parse-call.ts'

const terminal = { isTTY: true, rows: 33, columns: 101 }
const none = {}

/** Returns the request that `exec` makes of its options, with these standard streams. */
function read(options: readonly string[], stdin: object = none, stdout: object = none) {
  const call = parseCall(['exec', ...options, 'db', '--', 'psql'])
  return readExecRequest({ ...call, host: { environment: { MINE: 'mine' } } as unknown as Host }, { stdin, stdout })
}

describe('exec gives a command', () => {
  const size = { rows: 33, columns: 101 }
  test.each([
    ['a terminal and input from one', [], terminal, terminal, true, size],
    ['no terminal where the output is none', [], terminal, none, false, undefined],
    ['input alone with -i', ['-i'], none, none, true, undefined],
    ['a terminal with -it', ['-it'], terminal, terminal, true, size],
    ['a terminal with -t', ['-t'], terminal, terminal, true, size],
    ['a terminal without input', ['-t', '--no-interactive'], terminal, terminal, false, size],
    ['input without a terminal', ['-i', '--no-tty'], terminal, terminal, true, undefined],
    ['neither with --no-tty', ['--no-tty'], terminal, terminal, false, undefined],
    ['neither with --json', ['--json'], terminal, terminal, false, undefined],
  ])('%s', (_, options, stdin, stdout, takesInput, tty) => {
    expect(read(options, stdin, stdout)).toMatchObject({ command: ['psql'], stdin: takesInput, tty })
  })

  test('variables, a working folder and a user', () => {
    const options = ['-e', 'A=b=c', '--env', 'MINE', '-e', 'MISSING', '-e', 'EMPTY=', '-w', '/srv', '-u', 'pg:pg']
    expect(read(options)).toMatchObject({
      environment: { A: 'b=c', MINE: 'mine', EMPTY: '' },
      workingDir: '/srv',
      user: 'pg:pg',
    })
  })
})

test.each([
  [['-t'], none, terminal, '--tty needs a terminal, and standard input is not one'],
  [['-it'], terminal, none, '--tty needs a terminal, and standard output is not one'],
  [['-t', '--json'], terminal, terminal, '--tty cannot go with --json'],
  [['-w', 'srv'], none, none, '--workdir takes an absolute path in the server, not "srv"'],
  [['-e', '=b'], none, none, '--env takes NAME=VALUE or NAME, not "=b"'],
])('exec %j is refused', (options, stdin, stdout, message) => {
  expect(() => read(options, stdin, stdout)).toThrow(expect.objectContaining({ code: 'USAGE', message }))
})
