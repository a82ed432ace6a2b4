import type { BuildStep } from '../model/events.ts'
import { stripControls } from '../model/strip-controls.ts'

/** 0.4 s, 12 s, 1 min 5 s */
export function formatDuration(durationMs: number): string {
  const seconds = durationMs / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

export function formatStep(step: BuildStep): string {
  return `step ${step.number}/${step.total} ${shorten(step.text.replace(/^\[[^\]]*\]\s*/, ''), 60)}`
}

/** One line, of at most so many characters, with nothing in it that moves a cursor. */
export function shorten(text: string, length: number): string {
  const line = stripControls(text).replaceAll(/\s+/g, ' ').trim()
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}
