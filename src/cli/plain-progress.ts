import type { EventBuildStep, TestfleetEvent } from '../api/events.ts'
import { formatDuration } from '../formats/duration.ts'
import { stripControls } from '../formats/strip-controls.ts'
import type { Palette } from './palette.ts'

/** Shows events while they come. */
export interface Progress {
  onEvent(event: TestfleetEvent): void
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

function formatEvent(event: TestfleetEvent, palette: Palette): string | undefined {
  const say = (servers: readonly string[], text: string): string => {
    const who = servers.length > 3 ? `${servers.length} servers` : servers.join(', ')
    return `${palette.style('bold', who)}: ${text}`
  }
  switch (event.kind) {
    case 'image.pulling':
      return say(event.data.servers, `pulling ${event.data.image}: ${event.data.status}`)
    case 'image.building': {
      const { image, servers, step } = event.data
      return say(servers, step === undefined ? `building ${image}` : `building, ${formatStep(step)}`)
    }
    case 'image.output':
      return say(event.data.servers, `| ${event.data.line}`)
    case 'image.built':
      return say(event.data.servers, `built in ${formatDuration(event.data.elapsedMs)}`)
    case 'image.baking': {
      const { image, servers, status } = event.data
      return say(servers, status === undefined ? `baking ${image}` : formatBaking(status))
    }
    case 'image.baked':
      return say(event.data.servers, `baked in ${formatDuration(event.data.elapsedMs)}`)
    case 'server.starting':
      return say([event.data.server], 'starting')
    case 'server.stopping':
      return say([event.data.server], 'stopping')
    case 'server.removing':
      return say([event.data.server], 'removing')
    case 'server.paused':
      return say([event.data.server], 'paused')
    case 'server.resumed':
      return say([event.data.server], 'resumed')
    case 'server.signalled':
      return say([event.data.server], formatKilled(event))
    case 'server.waiting':
      return say([event.data.server], formatWaiting(event))
    case 'server.hook':
      return say([event.data.server], formatHookStep(event))
    case 'server.hookOutput':
      return say([event.data.server], `| ${event.data.line}`)
    case 'server.ready':
    case 'server.completed':
      return say([event.data.server], formatReady(event, palette))
    case 'server.skipped':
      return say([event.data.server], `not started because ${event.data.because} failed`)
    case 'session.undoing': {
      const { servers } = event.data
      return servers.length === 0 ? undefined : `removing what was started: ${servers.join(', ')}`
    }
    case 'session.kept':
      return `session ${event.session} is kept; remove it with: testfleet down --session ${event.session}`
    default:
      // The others are for programs.
      return isNotice(event) ? formatNotice(event, palette) : undefined
  }
}

/** Events that come too often for readers who did not ask for them. */
function isDetail(event: TestfleetEvent): boolean {
  if (event.kind === 'image.pulling') return event.data.status !== 'asking the registry'
  return event.kind === 'image.output' || event.kind === 'server.hookOutput' || event.kind === 'server.waiting'
}

export function formatKilled({ data: { signal } }: TestfleetEvent<'server.signalled'>): string {
  return `sent ${signal ?? 'a signal'}`
}

export function formatWaiting({ data: { check, answer } }: TestfleetEvent<'server.waiting'>): string {
  return `waiting for ${check}${answer === undefined ? '' : `: ${answer}`}`
}

export function formatReady(
  { kind, data: { elapsedMs, unchanged } }: TestfleetEvent<'server.ready' | 'server.completed'>,
  palette: Palette,
): string {
  const word = palette.style('green', kind === 'server.completed' ? 'completed' : 'ready')
  return unchanged ? `${word} (unchanged)` : `${word} in ${formatDuration(elapsedMs)}`
}

/** Such as `postStart 1/2 psql -f /seed.sql`. */
export function formatHookStep({ data: { hook, number, total, command } }: TestfleetEvent<'server.hook'>): string {
  return `${hook} ${number}/${total} ${shorten(command, 60)}`
}

export function formatBaking(status: string): string {
  return `baking, ${shorten(status, 60)}`
}

export function formatStep(step: EventBuildStep): string {
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

export type Notice = TestfleetEvent<'session.waiting' | 'session.cleaned' | 'warning' | 'note'>

export function isNotice(event: TestfleetEvent): event is Notice {
  return ['session.waiting', 'session.cleaned', 'warning', 'note'].includes(event.kind)
}

/** Formats what concerns no server in particular. */
export function formatNotice(notice: Notice, palette: Palette): string {
  switch (notice.kind) {
    case 'session.waiting':
      return `session ${notice.session}: waiting until ${notice.data.holder} has finished its change`
    case 'session.cleaned':
      return formatCleaned(notice)
    case 'note':
      return notice.data.message
    case 'warning':
      return `${palette.style('yellow', 'warning:')} ${notice.data.message}`
  }
}

function formatCleaned({ session, data: { removed, putBack } }: TestfleetEvent<'session.cleaned'>): string {
  const parts = [
    ...(removed.length === 0 ? [] : [`removed ${removed.join(', ')}`]),
    ...(putBack.length === 0 ? [] : [`put back ${putBack.join(', ')}`]),
  ]
  return `session ${session}: cleaned up after a dead process: ${parts.join('; ') || 'removed the rest'}`
}
