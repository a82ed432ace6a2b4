import { VARIABLE } from '../formats/grammar.ts'
import { escapeUnits } from '../formats/strip-controls.ts'
import type { BuildSteps, FieldPath } from '../model/fleet.ts'
import type { BuildContent, PreparedLines } from '../model/plan.ts'

/**
 * Installs what it is given as arguments, and takes back everything that changes from run to run or that only the
 * installation needed. No daemon is started by a package: /usr/sbin/policy-rc.d says no for as long as it takes.
 * A name that no package has is a mistake: without Pattern-Only, apt-get takes one with a dot in it for a regular
 * expression, and installs all that matches (2.6).
 */
const INSTALL_SCRIPT = [
  'set -e',
  'export DEBIAN_FRONTEND=noninteractive',
  'guard=/usr/sbin/policy-rc.d',
  'added=',
  `if [ ! -e "$guard" ]; then printf '#!/bin/sh\\nexit 101\\n' > "$guard"; chmod 0755 "$guard"; added=1; fi`,
  'apt-get -o APT::Update::Error-Mode=any update',
  'apt-get -o APT::Cmd::Pattern-Only=true install --yes --no-install-recommends "$@"',
  'apt-get clean',
  'rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache',
  'rm -rf /var/lib/dpkg/*-old /var/log/apt /var/log/dpkg.log /var/log/alternatives.log',
  'if [ -n "$added" ]; then rm -f "$guard"; fi',
].join('\n')

/** Users and groups, by name or number. Another one that an image has does the work itself. */
const USER = /^[\w][\w.-]{0,255}(?::[\w][\w.-]{0,255})?$/

/**
 * The lines of one set of steps that do not depend on its files: those before the copies, and those after them. `user` is
 * who runs in the image below: packages and `run` need root.
 */
export function renderSteps(
  steps: BuildSteps,
  at: FieldPath,
  user = '',
): { readonly before: PreparedLines; readonly after: PreparedLines } {
  const variables = [...steps.environment].map(([name, value]) => `ENV ${renderName(name)}="${escapeQuoted(value)}"`)
  const packages = [...steps.packages].sort()
  const install = packages.map(() => renderRun(['/bin/sh', '-c', INSTALL_SCRIPT, 'install', ...packages])).slice(0, 1)
  const needsRoot = USER.test(user) && install.length + steps.run.length > 0
  const [becomeRoot, becomeUser] = needsRoot ? [['USER 0:0'], [`USER ${user}`]] : [[], []]
  const installed = { title: `packages ${packages.join(' ')}`, at: [...at, 'packages'] }
  return {
    before: { lines: [...variables, ...becomeRoot, ...install], steps: install.map(() => installed) },
    after: {
      // Without `--`, a text that starts with a dash would be options of the shell.
      lines: [...steps.run.map((script) => renderRun(['/bin/sh', '-ec', '--', script])), ...becomeUser],
      steps: steps.run.map((script, index) => ({ title: `run ${script}`, at: [...at, 'run', index] })),
    },
  }
}

/** Unpacks the archive of a copy: every member arrives at its path, whatever builds the image. */
export function renderUnpack(index: number): string {
  return `ADD ${encodeList([archiveName(index), '/'])}`
}

/** The archive of a copy in the context. */
export function archiveName(index: number): string {
  return `copy-${index}.tar`
}

/** All of it as one Dockerfile, to be read. */
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

function renderRun(argumentList: readonly string[]): string {
  return `RUN ${encodeList(argumentList)}`
}

/**
 * A JSON list in ASCII, without the characters that a Dockerfile could give a meaning to: no `<<` can open a heredoc,
 * no backslash can end the line, no `$` can name a variable before the JSON is read.
 */
function encodeList(items: readonly string[]): string {
  return JSON.stringify(items).replaceAll(/[^ -~]|[<$`]|(?<= )-(?=-)/g, (character) => escapeUnits(character))
}

/** ENV takes quotes away around its names, too. */
function renderName(name: string): string {
  return VARIABLE.test(name) ? name : `"${escapeQuoted(name)}"`
}

/** Inside double quotes of ENV. */
function escapeQuoted(value: string): string {
  return value.replaceAll(/[\\$"]/g, '\\$&')
}
