import { AsyncLocalStorage } from 'node:async_hooks'
import fs, { type BigIntStats } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { resolve } from 'node:path'

/** State of each path that was read, as it was before. An equal state means that nothing was changed there. */
export interface FileStates {
  /** Whether nothing has changed since. */
  areSame(): boolean
}

type Look = () => string

interface Trace {
  readonly states: Map<string, { readonly look: Look; readonly before: string }>
  /** Files that were changed later are too new. */
  readonly settledBeforeMs: number
  /** Whether a later change would be noticed. */
  isReliable: boolean
}

const tracing = new AsyncLocalStorage<Trace>()

/** More paths take too long to look at. */
const MOST_PATHS = 20_000
/** A file that was written this long before it was read can be written again without a new time: some disks count in seconds. */
const SETTLED_MS = 2000

const { lstatSync, statSync, readlinkSync } = fs
const realpathSync = fs.realpathSync.native

/**
 * Does work and notes the state of every path that it passes to a function of `node:fs`, whichever code does. Undefined
 * states: they cannot be relied on, because there are too many, or some file is too new.
 */
export async function traceFiles<Result>(
  work: () => Promise<Result>,
  settledMs = SETTLED_MS,
): Promise<{ readonly result: Result; readonly states: FileStates | undefined }> {
  watchFunctions()
  const trace: Trace = { states: new Map(), settledBeforeMs: Date.now() - settledMs, isReliable: true }
  const result = await tracing.run(trace, work)
  const all = [...trace.states.values()]
  const areSame = (): boolean => all.every(({ look, before }) => look() === before)
  return { result, states: trace.isReliable && areSame() ? { areSame } : undefined }
}

let isWatching = false

/** Has every function of `node:fs` note the path that it is given. There is no list of them that could be incomplete. */
function watchFunctions(): void {
  if (isWatching) return
  isWatching = true
  for (const functions of [fs, fs.promises] as unknown as Record<string, unknown>[]) {
    for (const [name, value] of Object.entries(functions)) {
      // Names of classes are in capitals.
      if (typeof value === 'function' && /^[a-z]/.test(name)) functions[name] = watch(value, name)
    }
  }
  syncBuiltinESMExports()
}

type AnyFunction = (...words: never[]) => unknown

function watch<Watched extends object>(watched: Watched, name: string): Watched {
  return new Proxy(watched, {
    apply(target, self, words) {
      const trace = tracing.getStore()
      if (trace !== undefined) note(words[0], name, trace)
      return Reflect.apply(target as unknown as AnyFunction, self, words)
    },
    get(target, property) {
      const value = Reflect.get(target, property)
      // realpath.native
      return typeof value === 'function' && property === 'native' ? watch(value, name) : value
    },
  })
}

/** These tell nothing of what is in a folder, which changes often. */
const looksOnly = /^(?:l?stat|realpath|access|exists)(?:Sync)?$/
const descriptorPath = /^\/proc\/self\/fd\/\d+/

function note(path: unknown, name: string, trace: Trace): void {
  // A descriptor or a handle was opened by its path.
  if (typeof path === 'number' || (typeof path === 'object' && path !== null && 'fd' in path)) return
  if (path instanceof URL || Buffer.isBuffer(path)) trace.isReliable = false
  if (typeof path !== 'string' || trace.states.size >= MOST_PATHS) {
    trace.isReliable = false
    return
  }
  const real = descriptorPath.test(path)
    ? path.replace(descriptorPath, (link) => attempt(() => readlinkSync(link)))
    : path
  const place = resolve(real)
  const isLook = looksOnly.test(name)
  const key = `${isLook ? (name.startsWith('realpath') ? 'way' : 'look') : 'content'} ${place}`
  if (trace.states.has(key)) return
  const withTimes = !isLook
  const look: Look = name.startsWith('realpath')
    ? () => `${attempt(() => realpathSync(place))} ${describe(place, withTimes)}`
    : () => describe(place, withTimes)
  trace.states.set(key, { look, before: look() })
  if (isRecent(place, withTimes, trace.settledBeforeMs)) trace.isReliable = false
}

/** Describes the path itself, and what it leads to if it is a link. */
function describe(path: string, withTimes: boolean): string {
  return attempt(() => {
    const own = lstatSync(path, { bigint: true })
    const state = describeStats(own, withTimes)
    return own.isSymbolicLink()
      ? `${state} ${attempt(() => describeStats(statSync(path, { bigint: true }), withTimes))}`
      : state
  })
}

function describeStats(stats: BigIntStats, withTimes: boolean): string {
  const { dev, ino, mode, uid, gid, size, mtimeNs, ctimeNs } = stats
  const own = `${dev}:${ino} ${mode} ${uid}:${gid}`
  return withTimes || !stats.isDirectory() ? `${own} ${size} ${mtimeNs} ${ctimeNs}` : own
}

function isRecent(path: string, withTimes: boolean, settledBeforeMs: number): boolean {
  try {
    const stats = statSync(path)
    return (withTimes || !stats.isDirectory()) && stats.ctimeMs > settledBeforeMs
  } catch {
    return false
  }
}

/** Returns the error's code where nothing can be read. */
function attempt(look: () => string): string {
  try {
    return look()
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
