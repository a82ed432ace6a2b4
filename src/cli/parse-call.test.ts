import { describe, expect, test } from 'vitest'
import { environmentFormats } from '../endpoints/format-environment.ts'
import { severities } from '../model/finding.ts'
import { nameWays } from '../names/names.ts'
import { commands } from './commands.ts'
import { parseCall } from './parse-call.ts'

const parse = (call: string) => parseCall(call === '' ? [] : call.split(' '))

describe('parseCall', () => {
  test('accepts options before and after operands, and does not interpret the words after --', () => {
    const call = parse('run --server a --json --server=b -f x.yaml -- curl --json -f')
    expect(call.options.server).toEqual(['a', 'b'])
    expect(call.file).toBe('x.yaml')
    expect(call.json).toBe(true)
    expect(call.command).toEqual(['curl', '--json', '-f'])
  })

  test('accepts common options before the command', () => {
    const call = parse('-f x.yaml --session=s --json --no-color ps --all')
    expect(call).toMatchObject({ name: 'ps', file: 'x.yaml', session: 's', json: true, color: false })
    expect(call.options).toEqual({ all: true })
  })

  test('reads the name of a command as the value of an option before it', () => {
    expect(parse('-f up down')).toMatchObject({ name: 'down', file: 'up', servers: [] })
    expect(parse('-fup down')).toMatchObject({ name: 'down', file: 'up' })
  })

  test('uses the last value of an option that is given twice', () => {
    expect(parse('-f a --session x up -f b')).toMatchObject({ file: 'b', session: 'x' })
  })

  test('reads -f as the fleet file before `logs`, and as --follow after it', () => {
    const call = parse('-f x.yaml logs -f web')
    expect(call).toMatchObject({ file: 'x.yaml', servers: ['web'], options: { follow: true } })
    expect(parse('logs --file x.yaml')).toMatchObject({ file: 'x.yaml', options: {} })
  })

  test.each([
    ['', { name: 'help', servers: [] }],
    ['--help', { name: 'help', help: false, servers: [] }],
    ['-h up', { name: 'up', help: true }],
    ['up -h', { name: 'up', help: true }],
    ['exec --help', { name: 'exec', help: true }],
    ['help up', { name: 'help', servers: ['up'] }],
    ['--version', { name: 'version' }],
    ['--json --version', { name: 'version', json: true }],
    ['--version down --force', { name: 'version', servers: [], options: {} }],
    ['--json --version exec web -- ls', { name: 'version', json: true, command: [] }],
  ])('reads "%s" as a call for help or the version', (call, expected) => {
    expect(parse(call)).toMatchObject(expected)
  })

  test.each([
    ['upp', 'there is no command "upp"', 'Did you mean `testfleet up`?'],
    ['--json upp', 'there is no command "upp"', 'Did you mean `testfleet up`?'],
    ['__proto__', 'there is no command "__proto__"', 'See `testfleet help`.'],
    ['--json', 'the command is missing', 'Usage: testfleet [OPTION…] COMMAND [OPTION…]; see `testfleet help`.'],
    ['-- ls', 'the command is missing', 'Usage: testfleet [OPTION…] COMMAND [OPTION…]; see `testfleet help`.'],
    ['up --sesion x', 'testfleet up has no option --sesion', 'Did you mean --session?'],
    ['up --no-colour', 'testfleet up has no option --no-colour', 'Did you mean --no-color?'],
    ['up --__proto__', 'testfleet up has no option --__proto__', 'See `testfleet up --help`.'],
    ['up --no-file', 'testfleet up has no option --no-file', 'See `testfleet up --help`.'],
    [
      '--bind fixed up',
      'there is no option --bind before the command',
      'Write it after the command, as in `testfleet plan --bind`.',
    ],
    ['--jsno up', 'there is no option --jsno before the command', 'Did you mean --json?'],
    ['-x up', 'there is no option -x before the command', 'See `testfleet help`.'],
    ['up --json=yes', '--json takes no value', 'See `testfleet up --help`.'],
    ['up -f', '-f needs a value', 'See `testfleet up --help`.'],
    ['up --file --json', '--file needs a value, and "--json" follows it', 'If that is the value, write --file=--json'],
    ['up --file=', '--file needs a value', 'See `testfleet up --help`.'],
    ['--session= ps', '--session needs a value', 'See `testfleet help`.'],
    ['cp', 'the path to copy from is missing', 'Usage: testfleet cp SERVER:PATH PATH, or PATH SERVER:PATH'],
    ['cp web:/x', 'the path to copy to is missing', 'Usage: testfleet cp SERVER:PATH PATH, or PATH SERVER:PATH'],
    ['up --bind fixd', '--bind takes free or fixed, not "fixd"', 'Did you mean fixed?'],
    [
      'endpoints --format xml',
      '--format takes env, dotenv, json, shell or github, not "xml"',
      'See `testfleet endpoints --help`.',
    ],
    ['exec web', 'the command after `--` is missing', 'Usage: testfleet exec SERVER -- CMD…'],
    ['exec -- ls', 'the server is missing', 'Usage: testfleet exec SERVER -- CMD…'],
    ['exec a b -- ls', 'one server at a time', 'Usage: testfleet exec SERVER -- CMD…'],
    ['exec web ls -la', 'testfleet exec has no option -l', 'Write CMD after `--`: testfleet exec SERVER -- CMD…'],
    ['exec -x web -- ls', 'testfleet exec has no option -x', 'See `testfleet exec --help`.'],
    ['run web -- ls', 'testfleet run does not take "web"', 'Usage: testfleet run -- CMD…'],
    ['ps web', 'testfleet ps does not take "web"', 'Usage: testfleet ps'],
    ['up -- ls', 'testfleet up takes nothing after `--`', 'Usage: testfleet up [SERVER…]'],
    ['rm', 'the server is missing', 'To remove them all, run `testfleet down`.'],
    ['help up down', 'one command at a time', 'Usage: testfleet help [COMMAND]'],
  ])('refuses "%s"', (call, message, hint) => {
    expect(() => parse(call)).toThrow(expect.objectContaining({ code: 'USAGE', exitCode: 2, message, hint }))
  })
})

test('the values that options accept are those that the code accepts', () => {
  expect(commands.endpoints.options.format.completes).toEqual(environmentFormats)
  expect(commands.check.options['fail-on'].completes).toEqual(severities)
  expect(commands.run.options.names.completes).toEqual(nameWays)
})
