import type { EventHub } from '../api/event-hub.ts'
import type { OnTestfleetEvent } from '../api/events.ts'
import { Testfleet } from '../api/testfleet.ts'
import type { SessionOptions } from '../api/types/options.ts'
import type { ProgramStreams } from '../api/types/run.ts'
import { readDurationMs } from '../formats/duration.ts'
import { readMomentMs } from '../formats/timestamp.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { Output, OutputSettings } from './output.ts'

/** A parsed call of the command, with everything that it needs from the process. */
export interface Call extends OutputSettings {
  readonly name: string
  readonly file: string | undefined
  readonly session: string | undefined
  readonly engine: string | undefined
  /** File that receives the events. */
  readonly events: string | undefined
  /** The command's own options. */
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
  /** Names of servers, before `--`. */
  readonly servers: readonly string[]
  /** The words after `--`. */
  readonly command: readonly string[]
  readonly host: Host
  readonly output: Output
  /** Receives the events of this call. */
  readonly hub: EventHub
  /** Writes an event to the file of `--events`. The events of `hub` are written there anyway. */
  readonly recordEvent?: OnTestfleetEvent | undefined
  /** Fires on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
  /** Signals that the caller of this program ignores. */
  readonly ignored: readonly NodeJS.Signals[]
  /** Set when this call is one of several that `run --shards` makes. */
  readonly shard?: Shard | undefined
}

/** One of the commands of `run --shards`. */
export interface Shard {
  /** Variables of the command. */
  readonly environment: Readonly<Record<string, string>>
  /** Where its output goes. */
  readonly streams: ProgramStreams
}

/** Returns the client that carries out a call. */
export function clientOf(call: Call): Testfleet {
  const { engine, hub } = call
  const insecureEngine = flag(call, 'insecure-engine')
  return new Testfleet({ engine, insecureEngine, onEvent: (event) => hub.emit(event) })
}

export function textOption(call: Pick<Call, 'options'>, name: string): string | undefined {
  const value = call.options[name]
  return typeof value === 'string' ? value : undefined
}

/** Returns the files of `--timeline`; undefined without any. */
export function timelineOption({ options: { timeline } }: Pick<Call, 'options'>): readonly string[] | undefined {
  return timeline === undefined ? undefined : [timeline].flat().map(String)
}

export function flag(call: Call, name: string): boolean {
  return call.options[name] === true
}

/** Returns the value of an option, or undefined when it is not given. Fails with USAGE when `read` rejects the text. */
function readOption<Value>(
  call: Call,
  name: string,
  takes: string,
  read: (text: string) => Value | undefined,
): Value | undefined {
  const text = textOption(call, name)
  if (text === undefined) return undefined
  const value = read(text)
  if (value !== undefined) return value
  throw new TestfleetError('USAGE', `--${name} takes ${takes} not ${JSON.stringify(text)}`)
}

/** Reads a duration such as `90s`, in milliseconds. Fails with USAGE. */
export function durationOption(call: Call, name: string): number | undefined {
  return readOption(call, name, 'a duration such as 90s, 30m or 2h;', readDurationMs)
}

/** Reads how long a start may take, in milliseconds; 0 is no limit. Fails with USAGE. */
export function timeoutOption(call: Call): number | undefined {
  return durationOption(call, 'timeout')
}

/** Returns the options by which the client finds the session of a call. */
export function sessionOptions({ session, file, signal }: Call): SessionOptions {
  return { session, file, signal }
}

/** Reads a time, or how long ago it was. Fails with USAGE. */
export function sinceOption(call: Call): Date | undefined {
  return readOption(call, 'since', 'a time such as 10m or 2024-01-31T12:00:00Z,', (text) => {
    const agoMs = readDurationMs(text)
    // Dates before 1970 are clamped: no engine existed then.
    if (agoMs !== undefined) return new Date(Math.max(0, Date.now() - agoMs))
    const atMs = readMomentMs(text)
    return atMs === undefined ? undefined : new Date(atMs)
  })
}

/** Reads a whole number. Fails with USAGE. */
export function numberOption(call: Call, name: string): number | undefined {
  return readOption(call, name, 'a number,', (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined))
}

/** Reads one of a few words. Fails with USAGE. */
export function choice<Word extends string>(call: Call, name: string, words: readonly Word[]): Word | undefined {
  return readOption(call, name, `${words.join(', ')};`, (text) => words.find((word) => word === text))
}

export function bindOption(call: Call): 'free' | 'fixed' {
  return choice(call, 'bind', ['free', 'fixed']) ?? 'free'
}
