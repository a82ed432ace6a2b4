import { wordError } from '../formats/word-error.ts'
import type { LineClient } from '../lender/line-server.ts'
import { traceEnvironment } from '../lender/trace-environment.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Standby } from '../model/standby.ts'
import type { Tools } from '../tools.ts'
import type { Copies } from './copies.ts'
import { findStaleness } from './find-staleness.ts'
import { giveRecord, resumeCopy } from './give-copy.ts'
import { loadStandbyFleet } from './load-fleet.ts'
import type { Copy } from './prepare-copy.ts'
import type {
  Caller,
  OpenAnswer,
  SetAnswer,
  StandbyOrder,
  StandbyRequest,
  StandbyStatus,
  TakeAnswer,
} from './protocol.ts'

export interface Serving {
  readonly copies: Copies
  readonly order: StandbyOrder
  readonly tools: Tools
  /** Names of the variables that were read of the environment of `tools` so far. */
  readonly read: ReadonlySet<string>
  readonly activity: { lastAtMs: number }
  /** Called whenever the copies have changed. */
  readonly waiting: Set<() => void>
  /** Begins to end the lender. */
  readonly end: () => void
  complete(settings: Standby): Promise<Standby>
}

type TakeRequest = Extract<StandbyRequest, { do: 'take' }>
type SetRequest = Extract<StandbyRequest, { do: 'set' }>

/** A copy that a client has reserved. It is removed unless the client says that it holds it. */
interface Reserved {
  readonly copy: Copy
  /** Resolves once its servers run and are ready. */
  readonly ready: Promise<void>
  /** Resolves with whether it is known that nothing has changed since it was prepared. */
  readonly isSame: () => Promise<boolean>
  /** Stops asking its servers. */
  leave(): void
}

/** Serves a caller: it reserves a copy, gets it if it is fresh and ready, and says that it holds it. */
export function serveClient(client: LineClient, serving: Serving): void {
  const { copies, order, tools, activity, end } = serving
  let reserved: Reserved | undefined
  let isGone = false
  /** Variables that the client was asked for: it has sent the values of all that it has. */
  let asked: ReadonlySet<string> = new Set()
  const tell = (): string[] => {
    asked = new Set(serving.read)
    return [...asked]
  }
  const drop = (): void => {
    reserved?.leave()
    if (reserved !== undefined) copies.discard(reserved.copy)
    reserved = undefined
  }
  const handlers = {
    async open(request: Extract<StandbyRequest, { do: 'open' }>): Promise<OpenAnswer> {
      const none = await findOtherCaller(request, serving)
      drop()
      if (none !== undefined || isGone) return { none: none ?? 'the caller has gone' }
      const copy = copies.take()
      if (copy === undefined) {
        activity.lastAtMs = Date.now()
        copies.fill()
        return { none: copies.problem ?? 'no standby copy is ready yet' }
      }
      reserved = reserve(copy, tools)
      return { offer: { ...copy.offer, variables: tell() } }
    },
    async take(request: TakeRequest): Promise<TakeAnswer> {
      if (reserved === undefined) throw new TestfleetError('USAGE', 'no copy is reserved for this connection')
      const other = findOtherVariable(request, asked, serving)
      if (other !== undefined) {
        void putBack(reserved, copies)
        reserved = undefined
        // Such callers do not keep the copies from ending: these are of no use to them.
        return { refused: wordOtherVariable(other), isOnlyThis: false }
      }
      activity.lastAtMs = Date.now()
      const outcome = await give(reserved, request, asked, serving)
      if ('refused' in outcome) drop()
      // What has changed for one copy has changed for all of them.
      if ('refused' in outcome && !outcome.isOnlyThis) copies.renew()
      return outcome
    },
    async taken() {
      reserved?.copy.leave()
      reserved = undefined
      return {}
    },
    async variables() {
      // The first copy may not have been planned yet.
      await loadStandbyFleet(order.source, tools.host).catch(() => {})
      return { variables: tell() }
    },
    set: (request: SetRequest) => setCopies(request, asked, serving),
    status: async () => describe(serving),
    async stop() {
      const status = describe(serving)
      end()
      await copies.end()
      return status
    },
  }
  client.onRequest((request) => {
    const handler = Object.hasOwn(handlers, String(request.do))
      ? handlers[request.do as keyof typeof handlers]
      : undefined
    if (handler === undefined) return Promise.reject(new TestfleetError('USAGE', 'unknown request'))
    return (handler as (request: never) => Promise<object>)(request as never)
  })
  client.onEnd(() => {
    isGone = true
    drop()
  })
}

/** One that is not ready is removed. */
function putBack({ copy, ready }: Reserved, copies: Copies): Promise<void> {
  return ready.then(
    () => copies.putBack(copy),
    () => copies.discard(copy),
  )
}

/** Holds that many copies, or ends the lender if they are of no use to the caller. */
async function setCopies(request: SetRequest, asked: ReadonlySet<string>, serving: Serving): Promise<SetAnswer> {
  const { copies, activity, end } = serving
  const other = findOtherVariable(request, asked, serving)
  const why = (await findOtherCaller(request, serving)) ?? (other && wordOtherVariable(other))
  if (why !== undefined) {
    end()
    return { ended: why }
  }
  activity.lastAtMs = Date.now()
  copies.set(await serving.complete(request.settings))
  await whenSettled(serving)
  return describe(serving)
}

/** Whether the caller is another program, or wants another engine. Copies of another version are of no use any more. */
async function findOtherCaller(
  { program, engine, insecureEngine }: Caller,
  { order, end }: Serving,
): Promise<string | undefined> {
  if (program !== order.program) {
    end()
    return 'the standby copies are those of another version of testfleet, and are removed'
  }
  const isSame = engine === order.engine && (insecureEngine ?? false) === (order.insecureEngine ?? false)
  return isSame ? undefined : 'the standby copies are on the engine of another call'
}

/**
 * Returns a variable of which the caller has another value than the copies were prepared with, or for which it was not asked,
 * because it was read only meanwhile: for example when another file of the fleet has begun to use it.
 */
function findOtherVariable(
  { environment }: Pick<TakeRequest, 'environment'>,
  asked: ReadonlySet<string>,
  { read, tools }: Serving,
): string | undefined {
  return [...read].find((name) => !asked.has(name) || environment[name] !== tools.host.environment[name])
}

function wordOtherVariable(name: string): string {
  return `the variable ${name} had another value when the standby copy was prepared`
}

/** Begins everything that does not depend on the caller. */
function reserve(copy: Copy, tools: Tools): Reserved {
  const left = new AbortController()
  const signal = AbortSignal.any([tools.signal, left.signal])
  const ready = resumeCopy(copy, { ...tools, signal })
  ready.catch(() => {})
  return { copy, ready, isSame: copy.basis.beginCheck(signal), leave: () => left.abort() }
}

/** Checks that the copy is fresh and ready, and makes the caller its holder. */
async function give(
  { copy, ready, isSame }: Reserved,
  request: TakeRequest,
  asked: ReadonlySet<string>,
  { order, tools }: Serving,
): Promise<TakeAnswer> {
  const { environment, names } = traceEnvironment(request.environment)
  const host = { ...tools.host, environment }
  const plan = async (): Promise<string | undefined> => {
    const stale = await findStaleness(copy, order, { ...tools, host })
    const unasked = [...names].find((name) => !asked.has(name))
    return stale ?? (unasked && `they do not depend on the variable ${unasked}`)
  }
  try {
    const [stale, record] = await Promise.all([
      isSame().then((isKnown) => (isKnown ? undefined : plan())),
      giveRecord(copy, request.holder, tools),
      ready,
    ])
    if (stale !== undefined) return { refused: `the standby copies are out of date: ${stale}`, isOnlyThis: false }
    return record === undefined ? { refused: 'the standby copy was removed', isOnlyThis: true } : { record }
  } catch (error) {
    return { refused: `a standby copy cannot be used: ${wordError(error)}`, isOnlyThis: true }
  }
}

function describe({ copies, activity, tools }: Serving): StandbyStatus {
  const status = copies.describe()
  return { pid: tools.host.processId, ...status, idleUntilMs: activity.lastAtMs + status.settings.idleMs }
}

/** Resolves once as many copies are ready as can be. */
async function whenSettled({ copies, waiting }: Serving): Promise<void> {
  while (!copies.isSettled) {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        waiting.delete(wake)
        resolve()
      }
      waiting.add(wake)
    })
  }
}
