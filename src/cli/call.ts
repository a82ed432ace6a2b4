import { readDurationMs } from '../formats/duration.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { BRING_UP_TIMEOUT_MS } from '../within-time.ts'
import type { Output, OutputSettings } from './output.ts'

/** One call of the command: parsed, and with all that it needs from the process. */
export interface Call extends OutputSettings {
  readonly file: string | undefined
  readonly session: string | undefined
  readonly engine: string | undefined
  /** The command's own options. */
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
  /** Names of servers, before `--`. */
  readonly servers: readonly string[]
  /** What stands behind `--`. */
  readonly command: readonly string[]
  readonly host: Host
  readonly output: Output
  /** Fires on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
}

export function textOption(call: Call, name: string): string | undefined {
  const value = call.options[name]
  return typeof value === 'string' ? value : undefined
}

export function flag(call: Call, name: string): boolean {
  return call.options[name] === true
}

/** A duration such as `90s`, in milliseconds. Fails with USAGE. */
export function durationOption(call: Call, name: string): number | undefined {
  const text = textOption(call, name)
  if (text === undefined) return undefined
  const durationMs = readDurationMs(text)
  if (durationMs !== undefined) return durationMs
  throw new TestfleetError('USAGE', `--${name} takes a duration such as 90s, 30m or 2h; not ${JSON.stringify(text)}`)
}

/** How long a bring-up may take, in milliseconds. Fails with USAGE. */
export function timeoutOption(call: Call): number {
  const timeoutMs = durationOption(call, 'timeout') ?? BRING_UP_TIMEOUT_MS
  // More than a timer can count would end it at once.
  if (timeoutMs > 0 && timeoutMs < 2 ** 31) return timeoutMs
  throw new TestfleetError('USAGE', '--timeout takes more than nothing, and at most 24 days')
}

/** A whole number. Fails with USAGE. */
export function numberOption(call: Call, name: string): number | undefined {
  const value = textOption(call, name)
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new TestfleetError('USAGE', `--${name} takes a number, not ${JSON.stringify(value)}`)
}

/** One of a few words. Fails with USAGE. */
export function choice<Word extends string>(call: Call, name: string, words: readonly Word[]): Word | undefined {
  const value = textOption(call, name)
  if (value === undefined) return undefined
  const word = words.find((candidate) => candidate === value)
  if (word !== undefined) return word
  throw new TestfleetError('USAGE', `--${name} takes ${words.join(', ')}; not ${JSON.stringify(value)}`)
}

export function bindOption(call: Call): 'free' | 'fixed' {
  return choice(call, 'bind', ['free', 'fixed']) ?? 'free'
}
