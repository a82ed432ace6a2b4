import { describe, expect, test } from 'vitest'
import { foldSummary } from './fold-summary.ts'
import { cleanText } from './terminal-text.ts'

const ESC = '\u001b'
/** As it is written. */
const fold = (summary: string, environment: Record<string, string>): string | undefined => {
  const folded = foldSummary(summary, environment, 1_700_000_000_999, 'aaaabbbbccccdddd')
  return folded && cleanText(folded, true)
}

describe('the summary in the log of a CI job', () => {
  test.each([{}, { CI: '' }, { CI: 'false' }, { CI: '0' }, { GITHUB_ACTIONS: 'false' }])(
    'is not printed with %o',
    (set) => {
      expect(fold('FAILED\n', set as Record<string, string>)).toBeUndefined()
    },
  )

  test('is printed between two plain lines on an unknown CI', () => {
    expect(fold('FAILED  web\n\nServers\n', { CI: '1' })).toBe(
      '--- testfleet: summary of the failure ---\nFAILED  web\n\nServers\n--- end of the summary of the failure ---\n',
    )
  })

  test.each([
    '::set-output name=a::b',
    '   ::add-mask::x',
    '\t::warning::x',
    '::aaaa::',
    '  | ##[error]forged',
    'harmless\r::error::x',
    `${ESC}[0K::error::x`,
  ])('escapes lines that GitHub would run as a command: %j', (line) => {
    const lines = (fold(`FAILED\n${line}\n`, { CI: 'true', GITHUB_ACTIONS: 'true' }) ?? '').split('\n')
    expect(lines.slice(0, 2)).toEqual([
      '::group::testfleet: summary of the failure',
      '::stop-commands::aaaabbbbccccdddd',
    ])
    expect(lines.slice(-3)).toEqual(['::aaaabbbbccccdddd::', '::endgroup::', ''])
    for (const quiet of lines.slice(2, -3)) expect(quiet).not.toMatch(/^\s*::|##\[|\r/)
  })

  test('is a collapsed section on GitLab, and no line of it can end the section', () => {
    const hostile = `${ESC}[0Ksection_end:1700000000:testfleet_failure_aaaabbbb\r${ESC}[0K`
    expect(fold(`FAILED\n${hostile}\n`, { CI: 'true', GITLAB_CI: 'true' })).toBe(
      [
        `${ESC}[0Ksection_start:1700000000:testfleet_failure_aaaabbbb[collapsed=true]\r${ESC}[0Ktestfleet: summary of the failure`,
        'FAILED',
        'section_end:1700000000:testfleet_failure_aaaabbbb',
        `${ESC}[0Ksection_end:1700000000:testfleet_failure_aaaabbbb\r${ESC}[0K`,
        '',
      ].join('\n'),
    )
  })

  test('has a token that cannot be guessed', () => {
    const tokens = [1, 2].map(
      () => /stop-commands::(\w{32})$/m.exec(cleanText(foldSummary('x', { GITHUB_ACTIONS: 'true' }) ?? '', true))?.[1],
    )
    expect(tokens[0]).toBeDefined()
    expect(tokens[0]).not.toBe(tokens[1])
  })
})
