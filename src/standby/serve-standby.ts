import { readFile, stat } from 'node:fs/promises'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '../lender/serve-lender.ts'
import { traceEnvironment } from '../lender/trace-environment.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Standby } from '../model/standby.ts'
import { openTools } from '../open-tools.ts'
import type { Tools } from '../tools.ts'
import { Copies } from './copies.ts'
import { loadStandbyFleet } from './load-fleet.ts'
import type { StandbyOrder, StandbySource } from './protocol.ts'
import { serveClient } from './serve-client.ts'

/** Interval of looks at the fleet file and at the time since a copy was taken. */
const LOOK_MS = 500

/** Holds copies of a fleet until it is asked to stop, none was taken for a while, or the fleet file is gone. */
export const serve: Service<StandbyOrder> = async (order, server, { host: outer, signal, release }) => {
  const { environment, names: read } = traceEnvironment(outer.environment)
  const host = { ...outer, environment }
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  const { engine, insecureEngine: isInsecureAllowed = false, source } = order
  const tools = await openTools({ engine, isInsecureAllowed, archive: undefined, onEvent() {}, signal: ended }, host)
  const activity = { lastAtMs: Date.now() }
  const waiting = new Set<() => void>()
  const settings = await withDefaults(order.settings ?? (await readSettings(source, tools)), tools)
  const onChange = (): void => {
    for (const wake of waiting) wake()
  }
  const copies = new Copies({ source, settings, tools, read, readFree: () => readFree(tools), onChange })
  const end = (): void => stop.abort(new TestfleetError('CANCELLED', 'the lender was asked to end'))
  const complete = (one: Standby): Promise<Standby> => withDefaults(one, tools)
  server.onClient((client) => serveClient(client, { copies, order, tools, activity, waiting, end, complete }))
  copies.fill()
  try {
    await watch(source, copies, activity, ended)
  } finally {
    // Who wants copies now gets a new lender.
    release()
    end()
    await copies.end()
    // A caller that waits for the end gets its answer first.
    await setImmediate()
    tools.engine.close()
  }
}

/** Resolves when the copies are no longer wanted. */
async function watch(
  source: StandbySource,
  copies: Copies,
  activity: { readonly lastAtMs: number },
  signal: AbortSignal,
): Promise<void> {
  let known = await stampOf(source)
  while (!signal.aborted && Date.now() - activity.lastAtMs < copies.settings.idleMs) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
    const stamp = await stampOf(source)
    if (stamp === undefined) {
      // Editors replace a file in two steps.
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
      if ((await stampOf(source)) === undefined) return
    } else if (stamp !== known) copies.renew()
    known = stamp ?? known
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

async function readSettings(source: StandbySource, { host }: Tools): Promise<Standby> {
  const { standby } = await loadStandbyFleet(source, host)
  if (standby !== undefined) return standby
  throw new TestfleetError('USAGE', 'the fleet file has no `standby`')
}

async function withDefaults(settings: Standby, { engine, signal }: Tools): Promise<Standby> {
  if (settings.memoryBytes !== undefined) return settings
  const { memoryBytes } = await engine.info({ signal })
  return memoryBytes > 0 ? { ...settings, memoryBytes: Math.floor(memoryBytes / 2) } : settings
}

/** Known only of this machine, under Linux. */
async function readFree({ engine, host }: Tools): Promise<number | undefined> {
  if (engine.location.remoteHost !== undefined || host.platform !== 'linux') return undefined
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const kibibytes = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1])
  return kibibytes > 0 ? kibibytes * 1024 : undefined
}
