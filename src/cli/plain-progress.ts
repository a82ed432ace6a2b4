import { formatDuration } from '../formats/duration.ts'
import { stripControls } from '../formats/strip-controls.ts'
import type { BuildStep, FleetEvent } from '../model/events.ts'
import type { Palette } from './palette.ts'

/** Shows events while they come. */
export interface Progress {
  onEvent(event: FleetEvent): void
  end(): void
}

/** Prints a line for each thing that happens, for logs and pipes. */
export function openPlainProgress(tell: (text: string) => void, palette: Palette, isVerbose: boolean): Progress {
  let lastLine = ''
  return {
    onEvent(event) {
      const text = isDetail(event) && !isVerbose ? undefined : formatEvent(event, palette)
      const line = text === undefined ? '' : onOneLine(text)
      // A repeated answer is printed once.
      if (line === '' || line === lastLine) return
      lastLine = line
      tell(`${line}\n`)
    },
    end() {},
  }
}

function formatEvent(event: FleetEvent, palette: Palette): string | undefined {
  const say = (servers: readonly string[], text: string): string => {
    const who = servers.length > 3 ? `${servers.length} servers` : servers.join(', ')
    return `${palette.style('bold', who)}: ${text}`
  }
  switch (event.kind) {
    case 'pulling':
      return say(event.servers, `pulling ${event.reference}: ${event.status}`)
    case 'building':
      return say(
        event.servers,
        event.step === undefined ? `building ${event.reference}` : `building, ${formatStep(event.step)}`,
      )
    case 'buildOutput':
      return say(event.servers, `| ${event.line}`)
    case 'built':
      return say(event.servers, `built in ${formatDuration(event.elapsedMs)}`)
    case 'starting':
      return say([event.server], 'starting')
    case 'waiting':
      return say([event.server], formatWaiting(event))
    case 'hook':
      return say([event.server], formatHookStep(event))
    case 'hookOutput':
      return say([event.server], `| ${event.line}`)
    case 'ready':
      return say([event.server], formatReady(event, palette))
    case 'stopping':
    case 'removing':
    case 'paused':
    case 'resumed':
      return say([event.server], event.kind)
    case 'killed':
      return say([event.server], formatKilled(event))
    case 'skipped':
      return say([event.server], `not started because ${event.because} failed`)
    case 'rollingBack':
      return event.servers.length === 0 ? undefined : `removing what was started: ${event.servers.join(', ')}`
    case 'kept':
      return `session ${event.session} is kept; remove it with: testfleet down --session ${event.session}`
    case 'queued':
    case 'swept':
    case 'warned':
      return formatNotice(event, palette)
    case 'planned':
    case 'holds':
    case 'stopped':
    case 'removed':
    case 'replaced':
    case 'failed':
    case 'bundled':
      return undefined
  }
}

/** Events that come too often for readers who did not ask for them. */
function isDetail(event: FleetEvent): boolean {
  if (event.kind === 'pulling') return event.status !== 'asking the registry'
  return event.kind === 'buildOutput' || event.kind === 'hookOutput' || event.kind === 'waiting'
}

export function formatKilled({ signal }: Extract<FleetEvent, { kind: 'killed' }>): string {
  return `sent ${signal}`
}

export function formatWaiting({ check, answer }: Extract<FleetEvent, { kind: 'waiting' }>): string {
  return `waiting for ${check}${answer === undefined ? '' : `: ${answer}`}`
}

export function formatReady(event: Extract<FleetEvent, { kind: 'ready' }>, palette: Palette): string {
  const word = palette.style('green', event.isCompleted ? 'completed' : 'ready')
  return event.isKept ? `${word} (unchanged)` : `${word} in ${formatDuration(event.elapsedMs)}`
}

/** Such as `postStart 1/2 psql -f /seed.sql`. */
export function formatHookStep({ hook, number, total, command }: Extract<FleetEvent, { kind: 'hook' }>): string {
  return `${hook} ${number}/${total} ${shorten(command, 60)}`
}

export function formatStep(step: BuildStep): string {
  return `step ${step.number}/${step.total} ${shorten(step.text.replace(/^\[[^\]]*\]\s*/, ''), 60)}`
}

/** One line, cut to a number of characters. What is removed from it later must not count. */
export function shorten(text: string, length: number): string {
  const line = stripControls(text).replaceAll(/\s+/g, ' ').trim()
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}

/** A line feed in what a server has said must not begin a line that looks like one of testfleet's. */
export function onOneLine(text: string): string {
  return text.replaceAll('\n', ' ')
}

export type Notice = Extract<FleetEvent, { kind: 'queued' | 'swept' | 'warned' }>

export function isNotice(event: FleetEvent): event is Notice {
  return event.kind === 'queued' || event.kind === 'swept' || event.kind === 'warned'
}

/** Formats what concerns no server in particular. */
export function formatNotice(notice: Notice, palette: Palette): string {
  switch (notice.kind) {
    case 'queued':
      return `session ${notice.session}: waiting for ${notice.behind}, which is changing it`
    case 'swept':
      return formatSwept(notice)
    case 'warned':
      return `${palette.style('yellow', 'warning:')} ${notice.message}`
  }
}

function formatSwept({ session, servers, back }: Extract<Notice, { kind: 'swept' }>): string {
  const parts = [
    ...(servers.length === 0 ? [] : [`removed ${servers.join(', ')}`]),
    ...(back.length === 0 ? [] : [`put back ${back.join(', ')}`]),
  ]
  return `session ${session}: cleaned up after a dead process: ${parts.join('; ') || 'removed the rest'}`
}
