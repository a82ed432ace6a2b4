import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
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
import { watch } from './watch.ts'

/** Holds copies of a fleet until it is asked to stop, or they are no longer wanted. */
export const serve: Service<StandbyOrder> = async (order, server, { host: outer, signal, release }) => {
  const { environment, names: read } = traceEnvironment(outer.environment)
  // A copy does not depend on a login, nor on where its sockets are: what a credential helper gets does not count.
  const host = { ...outer, environment, helperEnvironment: outer.environment, socketEnvironment: outer.environment }
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
  const copies = new Copies({ order, settings, tools, readFree: () => readFree(tools), onChange })
  const end = (): void => {
    // Who wants copies now gets a new lender.
    release()
    stop.abort(new TestfleetError('CANCELLED', 'the lender was asked to end'))
  }
  const complete = (one: Standby): Promise<Standby> => withDefaults(one, tools)
  server.onClient((client) => serveClient(client, { copies, order, tools, read, activity, waiting, end, complete }))
  copies.fill()
  try {
    await watch({ order, tools, copies, activity }, ended)
  } finally {
    end()
    await copies.end()
    // A caller that waits for the end gets its answer first.
    await setImmediate()
    tools.engine.close()
  }
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
