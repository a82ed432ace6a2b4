import type { Outcome, PathPart, Range } from './timeline-model.ts'
import { formatMs } from './word-time.ts'

/** Parts that took less than this share of the time are not named. */
const LEAST_SHARE = 0.08
const MOST_NAMED = 3

/** Says how long a call took, and what took longest: `4.1 s, of which db's ready checks 2.2 s.` */
export function sumUp(
  path: readonly PathPart[],
  {
    totalMs,
    outcome,
    message,
    command,
  }: {
    readonly totalMs: number
    readonly outcome: Outcome
    readonly message: string | undefined
    readonly command: Range | undefined
  },
): string {
  const untilMs = command?.fromMs ?? totalMs
  const named = nameLongest(
    path.filter(({ toMs }) => toMs <= untilMs + 1),
    untilMs,
  )
  const until = `${formatMs(untilMs)}${command === undefined ? '' : ' until the command started'}`
  const parts = named.length === 0 ? '' : `, of which ${listParts(named)}`
  const after = command === undefined ? '' : ` ${tellCommand(command, totalMs)}`
  if (outcome === 'ok') return `${until}${parts}.${after}`
  const why = message === undefined ? '' : `: ${message.replace(/[.]$/, '')}`
  const whole = `${outcome === 'failed' ? 'Failed' : 'Cancelled'} after ${formatMs(totalMs)}${why}.`
  const before = command === undefined ? 'Of that' : `It took ${until}, of which`
  return `${whole}${named.length === 0 ? '' : ` ${before}: ${listParts(named)}.`}${after}`
}

function tellCommand({ fromMs, toMs }: Range, totalMs: number): string {
  const left = totalMs - toMs > 1 ? `, and leaving took ${formatMs(totalMs - toMs)}` : ''
  return `The command ran for ${formatMs(toMs - fromMs)}${left}.`
}

interface Named {
  readonly title: string
  readonly tookMs: number
}

function nameLongest(path: readonly PathPart[], totalMs: number): Named[] {
  const byTitle = new Map<string, number>()
  for (const { title, fromMs, toMs } of path) byTitle.set(title, (byTitle.get(title) ?? 0) + toMs - fromMs)
  const parts = [...byTitle].map(([title, tookMs]) => ({ title, tookMs })).sort((a, b) => b.tookMs - a.tookMs)
  return parts.filter(({ tookMs }, index) => index === 0 || tookMs >= totalMs * LEAST_SHARE).slice(0, MOST_NAMED)
}

function listParts(parts: readonly Named[]): string {
  return new Intl.ListFormat('en').format(parts.map(({ title, tookMs }) => `${title} ${formatMs(tookMs)}`))
}
