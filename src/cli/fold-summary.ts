import { randomBytes } from 'node:crypto'
import { ownCommand } from './terminal-text.ts'

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
  const lines = summary.trimEnd().split('\n')
  const isSet = (name: string): boolean => !['', '0', 'false', undefined].includes(environment[name]?.toLowerCase())
  if (isSet('GITHUB_ACTIONS')) return foldForGitHub(TITLE, lines, token)
  if (isSet('GITLAB_CI')) return foldForGitLab(lines, Math.floor(nowMs / 1000), token)
  return isSet('CI') ? formatLines([`--- ${TITLE} ---`, ...lines, `--- end of the ${TITLE.slice(11)} ---`]) : undefined
}

/**
 * Between `stop-commands` and its token, which nobody can guess, the runner obeys no command of a line; the page draws
 * some all the same, which the output changes.
 */
export function foldForGitHub(title: string, lines: readonly string[], token: string): string {
  const begin = [`::group::${title}`, `::stop-commands::${token}`].map(ownCommand)
  return formatLines([...begin, ...lines, ...[`::${token}::`, '::endgroup::'].map(ownCommand)])
}

/** The page recognises a section by escape sequences, which the lines no longer contain once they are written. */
function foldForGitLab(lines: readonly string[], nowSeconds: number, token: string): string {
  const section = `testfleet_failure_${token.slice(0, 8)}`
  return formatLines([
    `${ownCommand(`\u001b[0Ksection_start:${nowSeconds}:${section}[collapsed=true]\r\u001b[0K`)}${TITLE}`,
    ...lines,
    ownCommand(`\u001b[0Ksection_end:${nowSeconds}:${section}\r\u001b[0K`),
  ])
}

function formatLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
