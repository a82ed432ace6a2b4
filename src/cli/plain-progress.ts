import { formatDuration } from '../formats/duration.ts'
import { stripControls } from '../formats/strip-controls.ts'
import type { BuildStep, FleetEvent } from '../model/events.ts'
import type { Palette } from './palette.ts'

/** Shows events while they come. */
export interface Progress {
  onEvent(event: FleetEvent): void
  end(): void
}

/** A line for each thing that happens, for logs and pipes. */
export class PlainProgress implements Progress {
  readonly #tell: (text: string) => void
  readonly #palette: Palette
  readonly #isVerbose: boolean
  #lastLine = ''

  constructor(tell: (text: string) => void, palette: Palette, isVerbose: boolean) {
    this.#tell = tell
    this.#palette = palette
    this.#isVerbose = isVerbose
  }

  onEvent(event: FleetEvent): void {
    const line = this.#format(event)
    // The same answer again and again is told once.
    if (line === undefined || line === this.#lastLine) return
    this.#lastLine = line
    this.#tell(`${line}\n`)
  }

  end(): void {}

  #format(event: FleetEvent): string | undefined {
    if (isDetail(event) && !this.#isVerbose) return undefined
    switch (event.kind) {
      case 'pulling':
        return this.#line(event.servers, `pulling ${event.reference}: ${event.status}`)
      case 'building':
        return this.#line(
          event.servers,
          event.step === undefined ? `building ${event.reference}` : `building, ${formatStep(event.step)}`,
        )
      case 'buildOutput':
        return this.#line(event.servers, `| ${stripControls(event.line)}`)
      case 'built':
        return this.#line(event.servers, `built in ${formatDuration(event.elapsedMs)}`)
      case 'starting':
        return this.#line([event.server], `starting: ${event.reason}`)
      case 'waiting':
        return this.#line([event.server], formatWaiting(event))
      case 'ready':
        return this.#line([event.server], formatReady(event, this.#palette))
      case 'removing':
        return this.#line([event.server], `removing: ${event.reason}`)
      case 'skipped':
        return this.#line([event.server], `not started, as ${event.because} failed`)
      case 'rollingBack':
        return event.servers.length === 0 ? undefined : `taking down what was started: ${event.servers.join(', ')}`
      case 'kept':
        return `kept as it is; remove it with: testfleet down --session ${event.session}`
      case 'queued':
      case 'swept':
      case 'warned':
        return formatNotice(event, this.#palette)
      case 'planned':
      case 'holds':
      case 'removed':
      case 'failed':
      case 'bundled':
        return undefined
    }
  }

  #line(servers: readonly string[], text: string): string {
    const who = servers.length > 3 ? `${servers.length} servers` : servers.join(', ')
    return `${this.#palette.style('bold', who)}: ${text}`
  }
}

/** What comes too often to be read by anyone who did not ask for it. */
function isDetail(event: FleetEvent): boolean {
  if (event.kind === 'pulling') return event.status !== 'asking the registry'
  return event.kind === 'buildOutput' || event.kind === 'waiting'
}

export function formatWaiting({ check, answer }: Extract<FleetEvent, { kind: 'waiting' }>): string {
  return `waiting for ${check}${answer === undefined ? '' : `: ${answer}`}`
}

export function formatReady(event: Extract<FleetEvent, { kind: 'ready' }>, palette: Palette): string {
  const word = palette.style('green', event.isCompleted ? 'completed' : 'ready')
  return event.isKept ? `${word}, as before` : `${word} in ${formatDuration(event.elapsedMs)}`
}

export function formatStep(step: BuildStep): string {
  return `step ${step.number}/${step.total} ${shorten(step.text.replace(/^\[[^\]]*\]\s*/, ''), 60)}`
}

/** One line, of at most so many characters, with nothing in it that moves a cursor. */
export function shorten(text: string, length: number): string {
  const line = stripControls(text).replaceAll(/\s+/g, ' ').trim()
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}

export type Notice = Extract<FleetEvent, { kind: 'queued' | 'swept' | 'warned' }>

export function isNotice(event: FleetEvent): event is Notice {
  return event.kind === 'queued' || event.kind === 'swept' || event.kind === 'warned'
}

/** What is of no server in particular. */
export function formatNotice(notice: Notice, palette: Palette): string {
  switch (notice.kind) {
    case 'queued':
      return `session ${notice.session}: waiting for ${notice.behind}, which is changing it`
    case 'swept':
      return formatSwept(notice)
    case 'warned':
      return `${palette.style('yellow', 'warning:')} ${stripControls(notice.message)}`
  }
}

function formatSwept({ session, servers, back }: Extract<Notice, { kind: 'swept' }>): string {
  const parts = [
    ...(servers.length === 0 ? [] : [`removed ${servers.join(', ')}`]),
    ...(back.length === 0 ? [] : [`put ${back.join(', ')} back`]),
  ]
  return `cleaned up after a call that died, session ${session}: ${parts.join('; ') || 'removed what was left'}`
}
