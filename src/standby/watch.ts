import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Copies } from './copies.ts'
import { type EngineTools, findOtherEngine } from './find-staleness.ts'
import type { StandbyOrder, StandbySource } from './protocol.ts'

/** Interval of looks at the fleet file, at the engine of calls, and at the time since a copy was taken. */
const LOOK_MS = 500

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
  lookMs = LOOK_MS,
): Promise<void> {
  const { source } = order
  let known = await stampOf(source)
  while (!signal.aborted && Date.now() - activity.lastAtMs < copies.settings.idleMs) {
    await sleep(lookMs, undefined, { signal }).catch(() => {})
    const stamp = await stampOf(source)
    if (stamp === undefined) {
      // Editors replace a file in two steps.
      await sleep(lookMs, undefined, { signal }).catch(() => {})
      if ((await stampOf(source)) === undefined) return
    } else if (stamp !== known) copies.renew()
    known = stamp ?? known
    if (await usesOtherEngine(order, tools)) return
    copies.fill()
    await copies.study()
  }
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
