import { AsyncLocalStorage } from 'node:async_hooks'
import fs, { type BigIntStats } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { setImmediate } from 'node:timers/promises'

/** State of each path that was read, as it was before. An equal state means that nothing was changed there. */
export interface FileStates {
  /** Resolves with whether nothing has changed since. Other work can go on meanwhile. */
  areSame(): Promise<boolean>
}

type Look = () => string

interface Trace {
  readonly states: Map<string, { readonly look: Look; readonly before: string }>
  readonly settledMs: number
  /** See `Traced`. */
  reliableFromMs: number
}

const tracing = new AsyncLocalStorage<Trace>()

/** More paths take too long to look at. */
const MOST_PATHS = 20_000
/** A file that was written this long before it was read can be written again without a new time: some disks count in seconds. */
const SETTLED_MS = 2000

/** As many paths are looked at without a pause. */
const PATHS_AT_ONCE = 500

const { lstatSync, statSync, readlinkSync } = fs
const realpathSync = fs.realpathSync.native

interface Traced<Result> {
  readonly result: Result
  /** Undefined when they cannot be relied on: there are too many, some file is too new, or one has changed meanwhile. */
  readonly states: FileStates | undefined
  /** From when on a later change of these paths would be noticed, in milliseconds since 1970. Infinite: never. */
  readonly reliableFromMs: number
}

/** Does work and notes the state of every path that it passes to a function of `node:fs`, whichever code does. */
export async function traceFiles<Result>(work: () => Promise<Result>, settledMs = SETTLED_MS): Promise<Traced<Result>> {
  watchFunctions()
  const beganAtMs = Date.now()
  const trace: Trace = { states: new Map(), settledMs, reliableFromMs: 0 }
  const result = await tracing.run(trace, work)
  const { reliableFromMs } = trace
  const all = [...trace.states.values()]
  const areSame = async (): Promise<boolean> => {
    for (const [index, { look, before }] of all.entries()) {
      if (look() !== before) return false
      if ((index + 1) % PATHS_AT_ONCE === 0) await setImmediate()
    }
    return true
  }
  const isReliable = reliableFromMs <= beganAtMs && (await areSame())
  return { result, states: isReliable ? { areSame } : undefined, reliableFromMs }
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
  if (typeof path !== 'string' || trace.states.size >= MOST_PATHS) {
    trace.reliableFromMs = Number.POSITIVE_INFINITY
    return
  }
  // Not normalised: before `..`, the kernel follows links.
  const place = descriptorPath.test(path)
    ? path.replace(descriptorPath, (link) => attempt(() => readlinkSync(link)))
    : path
  const isLook = looksOnly.test(name)
  const key = `${isLook ? (name.startsWith('realpath') ? 'way' : 'look') : 'content'} ${place}`
  if (trace.states.has(key)) return
  const withTimes = !isLook
  const look: Look = name.startsWith('realpath')
    ? () => `${attempt(() => realpathSync(place))} ${describe(place, withTimes)}`
    : () => describe(place, withTimes)
  trace.states.set(key, { look, before: look() })
  trace.reliableFromMs = Math.max(trace.reliableFromMs, changedAtMs(place, withTimes) + trace.settledMs)
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

/** When the path itself, and what it leads to if it is a link, was last changed. 0 where nothing is. */
function changedAtMs(path: string, withTimes: boolean): number {
  const times = [lstatSync, statSync].map((look) => {
    try {
      const stats = look(path)
      return withTimes || !stats.isDirectory() ? stats.ctimeMs : 0
    } catch {
      return 0
    }
  })
  return Math.max(...times)
}

/** Returns the error's code where nothing can be read. */
function attempt(look: () => string): string {
  try {
    return look()
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
