import { randomBytes } from 'node:crypto'
import { stripControls } from '../formats/strip-controls.ts'

type Environment = Readonly<Record<string, string | undefined>>

const TITLE = 'testfleet: summary of the failure'

/**
 * The summary for the log of a CI job, folded where the job's page can fold; undefined where there is no CI. What
 * servers have logged is in it, and must not reach the page as commands.
 */
export function foldSummary(
  summary: string,
  environment: Environment,
  nowMs = Date.now(),
  token = randomBytes(16).toString('hex'),
): string | undefined {
  const lines = summary.trimEnd().split('\n').map(stripControls)
  const isSet = (name: string): boolean => !['', '0', 'false', undefined].includes(environment[name]?.toLowerCase())
  if (isSet('GITHUB_ACTIONS')) return foldForGitHub(lines, token)
  if (isSet('GITLAB_CI')) return foldForGitLab(lines, Math.floor(nowMs / 1000), token)
  return isSet('CI') ? formatLines([`--- ${TITLE} ---`, ...lines, `--- end of the ${TITLE.slice(11)} ---`]) : undefined
}

/**
 * Commands are lines that begin with `::`, whatever white space is in front, and `##[` anywhere in a line. Between
 * `stop-commands` and its token, which nobody can guess, the runner obeys none; the page draws some all the same.
 */
function foldForGitHub(lines: readonly string[], token: string): string {
  const quiet = lines.map((line) => line.replace(/^\s*(?=::)/, '| ').replaceAll('##[', '## ['))
  return formatLines([`::group::${TITLE}`, `::stop-commands::${token}`, ...quiet, `::${token}::`, '::endgroup::'])
}

/** The page knows a section by escape sequences, of which the lines have none. */
function foldForGitLab(lines: readonly string[], nowSeconds: number, token: string): string {
  const section = `testfleet_failure_${token.slice(0, 8)}`
  return formatLines([
    `\u001b[0Ksection_start:${nowSeconds}:${section}[collapsed=true]\r\u001b[0K${TITLE}`,
    ...lines,
    `\u001b[0Ksection_end:${nowSeconds}:${section}\r\u001b[0K`,
  ])
}

function formatLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
