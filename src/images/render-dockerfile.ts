import { VARIABLE } from '../formats/grammar.ts'
import { escapeUnits } from '../formats/strip-controls.ts'
import type { BuildSteps, FieldPath } from '../model/fleet.ts'
import type { BuildContent, PreparedLines } from '../model/plan.ts'
import { type Command, installPackages } from './install-packages.ts'

/** Users and groups, by name or number. If the image has another one, root does the work itself. */
const USER = /^[\w][\w.-]{0,255}(?::[\w][\w.-]{0,255})?$/

/**
 * Returns the lines of one set of steps that do not depend on its files, before and after the copies. `user` is the user
 * of the base image: packages and `run` need root.
 */
export function renderSteps(
  steps: BuildSteps,
  at: FieldPath,
  user = '',
): { readonly before: PreparedLines; readonly after: PreparedLines } {
  const variables = [...steps.environment].map(([name, value]) => `ENV ${renderName(name)}="${escapeQuoted(value)}"`)
  const packages = [...steps.packages].sort()
  const { plain, caching } = installPackages(packages)
  const hasPackages = packages.length > 0
  const needsRoot = USER.test(user) && (hasPackages || steps.run.length > 0)
  const [becomeRoot, becomeUser] = needsRoot ? [['USER 0:0'], [`USER ${user}`]] : [[], []]
  const before = [...variables, ...becomeRoot]
  const installed = { title: `packages ${packages.join(' ')}`, at: [...at, 'packages'] }
  return {
    before: hasPackages
      ? { lines: [...before, renderRun(plain)], cachingLines: [...before, renderRun(caching)], steps: [installed] }
      : { lines: before, steps: [] },
    after: {
      // Without `--`, a text that starts with a dash would be read as options of the shell.
      lines: [...steps.run.map((script) => renderRun({ list: ['/bin/sh', '-ec', '--', script] })), ...becomeUser],
      steps: steps.run.map((script, index) => ({ title: `run ${script}`, at: [...at, 'run', index] })),
    },
  }
}

/** Unpacks the archive of a copy, so that every member arrives at its path with any builder. */
export function renderUnpack(index: number): string {
  return `ADD ${encodeList([archiveName(index), '/'])}`
}

/** The archive of a copy in the context. */
export function archiveName(index: number): string {
  return `copy-${index}.tar`
}

/** The whole Dockerfile, for people to read. */
export function renderDockerfile(content: BuildContent): string {
  if (content.kind === 'dockerfile') return content.dockerfile
  const { base, before, copies, after } = content
  return renderLines([
    `FROM ${base}`,
    ...before.lines,
    ...copies.map((_, index) => renderUnpack(index)),
    ...after.lines,
  ])
}

export function renderLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

function renderRun({ options = [], list }: Command): string {
  return ['RUN', ...options, encodeList(list)].join(' ')
}

/**
 * Returns a JSON list in ASCII without characters that are special in a Dockerfile: no `<<` can open a heredoc,
 * no backslash can end the line, no `$` can name a variable before the JSON is read.
 */
function encodeList(items: readonly string[]): string {
  return JSON.stringify(items).replaceAll(/[^ -~]|[<$`]|(?<= )-(?=-)/g, (character) => escapeUnits(character))
}

/** ENV removes quotes around its names, too. */
function renderName(name: string): string {
  return VARIABLE.test(name) ? name : `"${escapeQuoted(name)}"`
}

/** Text inside double quotes of ENV. */
function escapeQuoted(value: string): string {
  return value.replaceAll(/[\\$"]/g, '\\$&')
}
