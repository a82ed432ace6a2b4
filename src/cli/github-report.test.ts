import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Cause } from '../model/cause.ts'
import { addStepSummary, formatForGitHub, formatStepSummary } from './github-report.ts'
import { cleanText } from './terminal-text.ts'

const host = { workingFolder: '/work/repo/app', environment: { GITHUB_WORKSPACE: '/work/repo' } }
const cause = (more: Partial<Cause>): Cause => ({ rule: 'died', sentence: 'db ended', evidence: [], ...more })
const print = (causes: Cause[], logs: Record<string, string[]> = {}): string =>
  cleanText(formatForGitHub({ causes, attached: { folder: '/logs', problems: [], logs } }, host, 'token'), true)

test('an annotation names the file from the checkout on, and is escaped as the runner reads it', () => {
  expect(
    print([cause({ file: 'a,b:c.yaml', line: 3, column: 5, hint: 'Give it 100%.', sentence: 'db\n::error::x' })]),
  ).toBe('::error file=app/a%2Cb%3Ac.yaml,line=3,col=5,title=testfleet why::db::error::x. Give it 100%25.\n')
  expect(print([cause({})])).toBe('::error title=testfleet why::db ended\n')
  expect(print([cause({ file: '/elsewhere/testfleet.yaml' })])).toContain('file=/elsewhere/testfleet.yaml,')
})

test('a log is folded, and its lines are no commands for the job', () => {
  expect(print([], { db: ['fine', '::set-output name=x::y', '##[error]z'] })).toBe(
    [
      ...['::group::testfleet: the end of the log of db', '::stop-commands::token', 'fine', '| ::set-output name=x::y'],
      ...['## [error]z', '::token::', '::endgroup::', ''],
    ].join('\n'),
  )
})

test('the summary of the job shows what was wrong as text', async () => {
  const text = formatStepSummary({ causes: [cause({ sentence: '</pre><b>**db**\u001b[1m & more' })] }, 'npm test')
  expect(text).toBe(
    '### testfleet\n\n<pre>the command failed: npm test\n&lt;/pre&gt;&lt;b&gt;**db** &amp; more</pre>\n\n',
  )
  expect(formatStepSummary({ causes: [] }, 'x')).toContain('nothing was wrong with the servers')
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-summary-'))
  const environment = { GITHUB_STEP_SUMMARY: join(folder, 'summary.md') }
  expect(await addStepSummary('one\n', { ...host, environment })).toBe(undefined)
  expect(await addStepSummary('two\n', { ...host, environment })).toBe(undefined)
  expect(await readFile(environment.GITHUB_STEP_SUMMARY, 'utf8')).toBe('one\ntwo\n')
  expect(await addStepSummary('x', { ...host, environment: { GITHUB_STEP_SUMMARY: folder } })).toContain('EISDIR')
  expect(await addStepSummary('x', { ...host, environment: {} })).toBe(undefined)
  await rm(folder, { recursive: true })
})
