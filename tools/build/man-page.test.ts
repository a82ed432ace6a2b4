import { expect, test } from 'vitest'
import { type CommandName, commands, findCommand } from '../../src/cli/commands.ts'
import { formatManPage } from './man-page.ts'

const page = formatManPage(new Date('2026-01-31T12:00:00Z'))
/** Man page as a reader sees it. */
const text = page
  .replaceAll(/\\f[BR]/g, '')
  .replaceAll('\\-', '-')
  .replaceAll('\\(aq', "'")
  .replaceAll('\\(ga', '`')

test('the manual page has every command, option and example', () => {
  expect(page).toMatch(/^\.TH TESTFLEET 1 2026-01-31 "testfleet \d/)
  for (const name of Object.keys(commands) as CommandName[]) {
    const { options, examples } = findCommand(name)
    expect(text).toMatch(new RegExp(`^testfleet ${name}(?: |$)`, 'm'))
    for (const [option, { isNegated }] of Object.entries(options))
      expect(text).toContain(`--${isNegated ? 'no-' : ''}${option}`)
    for (const example of Object.keys(examples)) expect(text).toContain(`Example: ${example}\n`)
  }
})

test('no line of the manual page is read as a command of troff by accident', () => {
  const known = /^\.(?:TH|SH|SS|TP|RS|RE)(?: |$)/
  const commandLines = page.split('\n').filter((line) => /^[.']/.test(line))
  expect(commandLines.filter((line) => !known.test(line))).toEqual([])
  expect(page).not.toMatch(/[^\n -~]/)
})
