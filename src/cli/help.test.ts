import { describe, expect, test } from 'vitest'
import { commonOptions } from './commands/options.ts'
import { type CommandName, commands, findCommand, groups } from './commands.ts'
import { formatHelp } from './help.ts'

const names = Object.keys(commands) as CommandName[]

describe('the help', () => {
  test('lists every command under one heading', () => {
    expect(Object.values(groups).flatMap(Object.keys)).toEqual(names)
    const text = formatHelp(undefined)
    for (const name of names) expect(text).toMatch(new RegExp(`^  ${name}(?: |$)`, 'm'))
  })

  test('shows options in columns, with their values and defaults, and examples', () => {
    expect(formatHelp('logs').split('\nOptions of every command:')[0]).toBe(`Usage: testfleet logs [OPTION…] [SERVER…]

Print the logs of servers.

Examples:
  testfleet logs -f db
      Follow the log of db

Options:
  -f, --follow      Keep printing new lines; after logs, -f is this option
      --tail N      Only the last N lines of each server
      --since TIME  Only lines since then: 10m ago, or 2024-01-31T12:00:00Z
      --timestamps  Print the time of each line
`)
    expect(formatHelp('up')).toContain(`
      --bind WHICH     Number of each port on this machine: a free one, or the
                       same as in the server (one of free, fixed; default: free)
`)
  })

  test('an option of a command hides the common option with the same name or letter', () => {
    expect(formatHelp('logs')).toContain('\n      --file FILE')
    expect(formatHelp('up')).toContain('\n  -f, --file FILE')
    expect(formatHelp('run').match(/--session/g)).toHaveLength(1)
  })

  test('refuses a command that does not exist', () => {
    expect(() => formatHelp('upp')).toThrow('there is no command "upp"')
  })

  test.each([undefined, ...names])('is plain and fits 80 columns: %s', (name) => {
    const lines = formatHelp(name).split('\n')
    expect(lines.filter((line) => line.length > 80 || line.endsWith(' '))).toEqual([])
  })
})

describe('the table of commands', () => {
  test.each(names)('%s has a summary, and examples that call this command', (name) => {
    const { summary, examples } = findCommand(name)
    expect(summary).toMatch(/^[a-z].*[^.]$/)
    expect(Object.keys(examples)).not.toEqual([])
    for (const [example, does] of Object.entries(examples)) {
      expect(example).toContain(`testfleet ${name}`)
      expect(does).toMatch(/^[A-Z].*[^.]$/)
    }
  })

  test.each([...names, undefined])('the options of %s have help, and the name of their value', (name) => {
    const options = name === undefined ? commonOptions : findCommand(name).options
    for (const [option, spec] of Object.entries(options)) {
      expect(spec.help).toMatch(/^[A-Z].*[^.]$/)
      expect([option, spec.type === 'string']).toEqual([option, spec.value !== undefined])
    }
  })
})
