import { TestfleetError } from '../model/failures.ts'
import { MOST_STANDBY } from '../model/standby.ts'

type Check = readonly [wanted: string, isRight: (value: unknown) => boolean]

const text: Check = ['a string', (value) => typeof value === 'string']
const flag: Check = ['true or false', (value) => typeof value === 'boolean']
const names: Check = ['a list of names', isTexts]
const count: Check = [
  'a whole number that is not negative',
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
]
const duration: Check = [
  'a number of milliseconds that is not negative',
  (value) => typeof value === 'number' && value >= 0,
]
const oneOf = (...choices: readonly string[]): Check => [
  `one of ${choices.join(', ')}`,
  (value) => choices.some((choice) => choice === value),
]
// The class is not compared: a test environment such as jsdom has its own.
const signal: Check = ['an AbortSignal', (value) => isBlock(value) && 'aborted' in value && 'addEventListener' in value]
const variables: Check = [
  'an object whose values are strings',
  (value) => isBlock(value) && Object.values(value).every((one) => one === undefined || typeof one === 'string'),
]

function isStandby(value: unknown): boolean {
  return value === false || (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_STANDBY)
}

/** The options of all calls: an option has the same type wherever it is taken. Those with bounds are read where they are used. */
const checks: Readonly<Record<string, Check>> = {
  ...{
    signal,
    timeoutMs: duration,
    ttlMs: duration,
    idleMs: duration,
    memoryBytes: count,
    graceMs: duration,
    olderThanMs: duration,
    tail: count,
    keepImages: count,
  },
  ...{
    engine: text,
    folder: text,
    session: text,
    file: text,
    bundle: text,
    attachLogs: text,
    user: text,
    workingDir: text,
  },
  ...{ insecureEngine: flag, force: flag, keep: flag, wait: flag, stop: flag, all: flag, dryRun: flag, follow: flag },
  ...{ timestamps: flag, trust: flag, followLink: flag, keepOwners: flag },
  timeline: ['a path, or a list of paths', (value) => typeof value === 'string' || isTexts(value)],
  servers: names,
  environment: variables,
  bind: oneOf('free', 'fixed'),
  names: oneOf('auto', 'namespace', 'proxy', 'none'),
  mode: oneOf('write', 'check', 'dryRun'),
  onEvent: ['a function', (value) => typeof value === 'function'],
  standby: [`a whole number from 1 to ${MOST_STANDBY}, or false`, isStandby],
  since: ['a Date', (value) => value instanceof Date && !Number.isNaN(value.getTime())],
  input: ['a string or bytes', (value) => typeof value === 'string' || value instanceof Uint8Array],
}

/** Refuses options of a wrong type from callers without a type checker. Fails with USAGE before anything is touched. */
export function checkOptions(options: unknown): void {
  if (!isBlock(options) || Array.isArray(options)) throw wrong('options are', 'an object', options)
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (check !== undefined && value !== undefined && !check[1](value))
      throw wrong(`\`${name}\` takes`, check[0], value)
  }
}

/** Refuses anything but a list with a program and its arguments. Fails with USAGE. */
export function checkCommand(command: unknown): void {
  if (!isTexts(command)) throw wrong('a command is', "a list of strings, such as ['ls', '-l']", command)
  if (command.length === 0) throw new TestfleetError('USAGE', 'the command is empty')
}

/** Refuses anything but a path. Fails with USAGE. */
export function checkPath(path: unknown): void {
  if (typeof path !== 'string' || path === '') throw wrong('a path is', 'a string that is not empty', path)
}

export function wrong(what: string, wanted: string, given: unknown): TestfleetError {
  return new TestfleetError('USAGE', `${what} ${wanted}, not ${describe(given)}`)
}

function describe(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given.length > 60 ? `${given.slice(0, 60)}…` : given)
  if (Array.isArray(given)) return given.length === 0 ? 'an empty list' : 'such a list'
  if (typeof given === 'function') return 'a function'
  return typeof given === 'object' && given !== null ? 'such an object' : String(given)
}

function isBlock(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
