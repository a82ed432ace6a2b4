import type { EngineVersion } from '../../engine/engine.ts'
import { stripControls } from '../../formats/strip-controls.ts'
import { wordError } from '../../formats/word-error.ts'
import type { ContainerDetails } from '../../model/container.ts'
import { formatPosition, isFailure } from '../../model/failures.ts'
import type { Position } from '../../model/fleet.ts'
import { VERSION } from '../../version.ts'

/** Content of the summary, which a person reads first. */
export interface SummaryContent {
  readonly atMs: number
  /** The error of the call, or a description of what failed. */
  readonly failure: unknown
  /** Place in the fleet file. */
  readonly at: Position | undefined
  readonly fleet: string | undefined
  readonly fleetFile: string | undefined
  readonly session: string | undefined
  readonly engine: EngineVersion | undefined
  readonly servers: readonly SummaryServer[]
  /** Last log lines by server, without lines that the error itself shows. */
  readonly logs: ReadonlyMap<string, readonly string[]>
}

export interface SummaryServer {
  readonly name: string
  readonly container: ContainerDetails | undefined
  readonly answers: ReadonlyMap<string, string>
}

/** Formats the summary. Output and logs must be masked already. */
export function formatSummary(content: SummaryContent): string {
  const sections = [
    formatFailed(content),
    formatAbout(content),
    content.servers.length === 0 ? [] : ['Servers', ...formatServers(content.servers)],
    ...[...content.logs].map(([server, lines]) => [
      lines.length === 0 ? `${server} has logged nothing` : `The end of the log of ${server}`,
      ...quote(lines),
    ]),
    fileGuide,
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

/** Formats the list of missing parts, which is appended to the summary. */
export function formatMissing(problems: Iterable<string>): string {
  return `${['What is missing', ...[...problems].map((problem) => `  ${stripControls(problem)}`)].join('\n')}\n`
}

function formatFailed({ failure, at }: SummaryContent): string[] {
  if (!isFailure(failure)) return [`FAILED  ${firstLine(wordError(failure))}`]
  const { code, message, hint, output } = failure
  const lines = message.split('\n').map(stripControls)
  return [
    `FAILED  ${lines.join('\n        ')}`,
    `  code   ${code}`,
    ...(at === undefined ? [] : [`  where  ${stripControls(formatPosition(at))}`]),
    ...quote(output),
    ...(hint === undefined ? [] : [`  hint   ${stripControls(hint)}`]),
  ]
}

function firstLine(text: string): string {
  return stripControls(text.split('\n')[0] ?? '')
}

function quote(lines: readonly string[]): string[] {
  return lines.map((line) => `  | ${stripControls(line)}`)
}

function formatAbout({ atMs, session, fleet, fleetFile, engine }: SummaryContent): string[] {
  const file = fleetFile === undefined ? '' : ` (${stripControls(fleetFile)})`
  return [
    `time       ${new Date(atMs).toISOString()}`,
    ...(session === undefined ? [] : [`session    ${session}`]),
    ...(fleet === undefined ? [] : [`fleet      ${fleet}${file}`]),
    `testfleet  ${VERSION}`,
    `engine     ${engine === undefined ? 'unknown' : formatEngine(engine)}`,
  ]
}

function formatEngine({ product, version, api, os, arch }: EngineVersion): string {
  return stripControls(`${product} ${version}, API ${api}, ${os}/${arch}`)
}

function formatServers(servers: readonly SummaryServer[]): string[] {
  const nameWidth = Math.max(...servers.map(({ name }) => stripControls(name).length))
  const rows = servers.map((server) => ({ server, state: formatState(server.container) }))
  const stateWidth = Math.max(...rows.map(({ state }) => state.length))
  return rows.flatMap(({ server, state }) => {
    const row = `  ${stripControls(server.name).padEnd(nameWidth)}  ${state}`
    const answers = [...server.answers].map(([check, answer]) => stripControls(`${check}: ${answer}`))
    if (answers.length === 0) return [row]
    const indent = ' '.repeat(4 + nameWidth + stateWidth)
    return answers.map((answer, index) => `${index === 0 ? row.padEnd(indent.length) : indent}  ${answer}`)
  })
}

function formatState(container: ContainerDetails | undefined): string {
  if (container === undefined) return 'not started'
  const { state, exitCode, isOutOfMemory, error } = container
  if (state !== 'exited' && state !== 'created') return state
  const why = isOutOfMemory ? ', out of memory' : ''
  if (state === 'created') return error === '' ? 'created' : 'could not start'
  return `exit code ${exitCode ?? 'unknown'}${why}`
}

const fileGuide = [
  'The other files',
  '  fleet.json            the effective fleet, with all defaults',
  '  plan.txt              planned changes',
  '  events.ndjson         events of this call, with times',
  '  engine.json           version and settings of the engine',
  '  engine-events.ndjson  events of the containers, as reported by the engine',
  '  servers/NAME/         for each server, if present: Dockerfile (Dockerfile.base),',
  '                        build.log, container.log, inspect.json, and probes.tsv: each answer of its ready checks',
  'Values of secrets are masked in all of them.',
]
