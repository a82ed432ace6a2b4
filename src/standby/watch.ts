import { type FSWatcher, watch as watchFolder } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Copies } from './copies.ts'
import { type EngineTools, findOtherEngine } from './find-staleness.ts'
import type { StandbyOrder, StandbySource } from './protocol.ts'

interface Intervals {
  /** Interval of looks at the time since a copy was taken, and at what is to be prepared. They ask nobody. */
  readonly tickMs: number
  /**
   * Longest time between looks at the fleet file and at the engine of calls. A change of the fleet file is noticed at the next
   * tick where the system reports it.
   */
  readonly pollMs: number
}

const intervals: Intervals = { tickMs: 500, pollMs: 10_000 }

interface Watched {
  readonly order: Pick<StandbyOrder, 'source' | 'engine'>
  readonly tools: EngineTools
  readonly copies: Pick<Copies, 'settings' | 'renew' | 'fill' | 'study'>
  readonly activity: { readonly lastAtMs: number }
}

/**
 * Renews copies whose fleet file has changed. Resolves when they are no longer wanted: none was taken for a while, the fleet
 * file is gone, or calls use another engine.
 */
export async function watch(
  { order, tools, copies, activity }: Watched,
  signal: AbortSignal,
  { tickMs, pollMs }: Intervals = intervals,
): Promise<void> {
  const { source } = order
  const state = { isDue: true, known: await stampOf(source), lookedAtMs: Date.now() }
  const reports = watchFile(source, () => {
    state.isDue = true
  })
  /** Whether the copies are still wanted. */
  const look = async (): Promise<boolean> => {
    Object.assign(state, { isDue: false, lookedAtMs: Date.now() })
    let stamp = await stampOf(source)
    if (stamp === undefined) {
      // Editors replace a file in two steps.
      await sleep(tickMs, undefined, { signal }).catch(() => {})
      stamp = await stampOf(source)
    }
    if (stamp === undefined) return false
    if (stamp !== state.known) copies.renew()
    state.known = stamp
    return !(await usesOtherEngine(order, tools))
  }
  try {
    while (!signal.aborted && Date.now() - activity.lastAtMs < copies.settings.idleMs) {
      await sleep(tickMs, undefined, { signal }).catch(() => {})
      const isTime = state.isDue || Date.now() - state.lookedAtMs >= pollMs
      if (isTime && !(await look())) return
      copies.fill()
      await copies.study()
    }
  } finally {
    for (const report of reports) report.close()
  }
}

/** Has the system report changes of the fleet file, or of a link to it, where it can. */
function watchFile(source: StandbySource, onChange: () => void): readonly FSWatcher[] {
  if (source.kind === 'object') return []
  return [...new Set([source.path, source.realPath])].flatMap((path) => {
    try {
      // The folder: an editor puts another file in place of the old one.
      const watcher = watchFolder(dirname(path), (_, name) => {
        if (name === null || name === basename(path)) onChange()
      })
      return [watcher.on('error', () => watcher.close())]
    } catch {
      return []
    }
  })
}

/** Changes with the fleet file; undefined when it is gone. */
async function stampOf(source: StandbySource): Promise<string | undefined> {
  if (source.kind === 'object') return ''
  const stats = await stat(source.path).catch(() => undefined)
  return stats && `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`
}

/** False also when no engine can be found: calls then fail, and the copies wait for the next change. */
async function usesOtherEngine({ engine }: Watched['order'], tools: EngineTools): Promise<boolean> {
  return (await findOtherEngine(engine, tools).catch(() => undefined)) !== undefined
}
