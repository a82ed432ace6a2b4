import { VARIABLE } from '../formats/grammar.ts'
import { escapeUnits } from '../formats/strip-controls.ts'
import type { BuildSteps, CopyItem, FieldPath } from '../model/fleet.ts'
import type { BuildContent, PreparedStep } from '../model/plan.ts'

/** What a COPY takes from the context. */
export interface RenderedSource {
  readonly path: string
  readonly isFolder: boolean
  /** The source's own name, for a `to` that ends with a slash. */
  readonly name: string
}

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

/** The Dockerfile for one set of steps. `sources` are those of `steps.copy`, in its order. */
export function renderDockerfile(
  from: string,
  steps: BuildSteps,
  sources: readonly RenderedSource[],
  at: FieldPath,
): Pick<BuildContent, 'dockerfile' | 'steps'> {
  const lines = [`FROM ${from}`]
  const prepared: PreparedStep[] = [{ title: `from ${from}`, at: [...at, 'from'] }]
  for (const [name, value] of steps.environment) lines.push(`ENV ${renderName(name)}="${escapeQuoted(value)}"`)
  if (steps.packages.length > 0) {
    const packages = [...steps.packages].sort()
    lines.push(renderRun(['/bin/sh', '-c', INSTALL_SCRIPT, 'install', ...packages]))
    prepared.push({ title: `packages ${packages.join(' ')}`, at: [...at, 'packages'] })
  }
  steps.copy.forEach((item, index) => {
    const source = sources[index]
    if (source === undefined) throw new Error(`no source for copy ${index}`)
    lines.push(renderCopy(item, source))
    prepared.push({ title: `copy to ${item.to}`, at: [...at, 'copy', index] })
  })
  steps.run.forEach((script, index) => {
    // Without `--`, a text that starts with a dash would be options of the shell.
    lines.push(renderRun(['/bin/sh', '-ec', '--', script]))
    prepared.push({ title: `run ${script}`, at: [...at, 'run', index] })
  })
  return { dockerfile: `${lines.join('\n')}\n`, steps: prepared }
}

function renderRun(argumentList: readonly string[]): string {
  return `RUN ${encodeList(argumentList)}`
}

function renderCopy(item: CopyItem, source: RenderedSource): string {
  const chown = item.owner === undefined ? '' : `--chown=${item.owner} `
  const to = item.to.endsWith('/') && !source.isFolder ? item.to + source.name : item.to
  const paths = source.isFolder ? [`${source.path}/`, `${to.replace(/\/+$/, '')}/`] : [source.path, to]
  return `COPY ${chown}${encodeList(paths.map(escapeWord))}`
}

/**
 * A JSON list in ASCII, without the characters that a Dockerfile could give a meaning to: no `<<` can open a heredoc,
 * no backslash can end the line, no `$` can name a variable before the JSON is read.
 */
function encodeList(items: readonly string[]): string {
  return JSON.stringify(items).replaceAll(/[^ -~]|[<$`]|(?<= )-(?=-)/g, (character) => escapeUnits(character))
}

/** COPY expands variables and takes quotes away in its words, in JSON form too. */
function escapeWord(word: string): string {
  return word.replaceAll(/[\\$"']/g, '\\$&')
}

/** ENV takes quotes away around its names, too. */
function renderName(name: string): string {
  return VARIABLE.test(name) ? name : `"${escapeQuoted(name)}"`
}

/** Inside double quotes of ENV. */
function escapeQuoted(value: string): string {
  return value.replaceAll(/[\\$"]/g, '\\$&')
}
