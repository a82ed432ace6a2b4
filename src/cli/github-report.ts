import { randomBytes } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { isAbsolute, relative, resolve } from 'node:path'
import type { RunResult } from '../api/types/run.ts'
import { stripControls } from '../formats/strip-controls.ts'
import type { Cause } from '../model/cause.ts'
import { foldForGitHub } from './fold-summary.ts'
import { ownCommand } from './terminal-text.ts'

export interface GitHubHost {
  readonly workingFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The end of each log, folded, and an annotation for each cause, for the log of a job of GitHub Actions. */
export function formatForGitHub(
  { causes = [], attached }: Pick<RunResult, 'causes' | 'attached'>,
  host: GitHubHost,
  token = randomBytes(16).toString('hex'),
): string {
  const logs = Object.entries(attached?.logs ?? {}).map(([server, lines]) =>
    foldForGitHub(`testfleet: the end of the log of ${server}`, lines, token),
  )
  const annotations = causes.map((cause) => `${ownCommand(formatAnnotation(cause, host))}\n`)
  return [...logs, ...annotations].join('')
}

function formatAnnotation({ sentence, hint, file, line, column }: Cause, host: GitHubHost): string {
  const place = file === undefined ? {} : { file: findInWorkspace(file, host), line, col: column }
  const properties = Object.entries({ ...place, title: 'testfleet why' })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  const message = hint === undefined ? sentence : `${sentence}. ${hint}`
  return `::error ${properties.join(',')}::${escapeData(stripControls(message))}`
}

/** GitHub shows an annotation at a file only if its path begins at the checkout. */
function findInWorkspace(file: string, { workingFolder, environment }: GitHubHost): string {
  const path = resolve(workingFolder, file)
  const fromRoot = relative(environment.GITHUB_WORKSPACE || workingFolder, path)
  return fromRoot.startsWith('..') || isAbsolute(fromRoot) ? path : fromRoot
}

/** As the runner unescapes it. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(stripControls(text)).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

/** A section for the summary of a job, in Markdown. */
export function formatStepSummary({ causes = [] }: Pick<RunResult, 'causes'>, command: string): string {
  const found = causes.length === 0 ? ['nothing was wrong with the servers'] : causes.map(({ sentence }) => sentence)
  // In HTML, nothing of a text is Markdown.
  const text = [`the command failed: ${command}`, ...found].map((line) => escapeHtml(stripControls(line)))
  return `### testfleet\n\n<pre>${text.join('\n')}</pre>\n\n`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Adds the section to the summary of the job, if there is one. Returns why that failed. */
export async function addStepSummary(text: string, { environment }: GitHubHost): Promise<string | undefined> {
  const { GITHUB_STEP_SUMMARY: file } = environment
  if (!file) return undefined
  try {
    await appendFile(file, text)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
