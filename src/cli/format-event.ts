import { stripControls } from '../formats/strip-controls.ts'
import type { BuildStep, FleetEvent } from '../model/events.ts'
import type { Palette } from './palette.ts'

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
