import { wordError } from '../formats/word-error.ts'
import type { LineClient } from '../lender/line-server.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Standby } from '../model/standby.ts'
import type { Tools } from '../tools.ts'
import type { Copies } from './copies.ts'
import { findStaleness } from './find-staleness.ts'
import { giveRecord, resumeCopy } from './give-copy.ts'
import type { Copy } from './prepare-copy.ts'
import type { OpenAnswer, StandbyOrder, StandbyRequest, StandbyStatus, TakeAnswer } from './protocol.ts'

export interface Serving {
  readonly copies: Copies
  readonly order: StandbyOrder
  readonly tools: Tools
  readonly activity: { lastAtMs: number }
  /** Called whenever the copies have changed. */
  readonly waiting: Set<() => void>
  /** Begins to end the lender. */
  readonly end: () => void
  complete(settings: Standby): Promise<Standby>
}

type TakeRequest = Extract<StandbyRequest, { do: 'take' }>

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
  const { copies, activity, end } = serving
  let reserved: Reserved | undefined
  let isGone = false
  const drop = (): void => {
    reserved?.leave()
    if (reserved !== undefined) copies.discard(reserved.copy)
    reserved = undefined
  }
  const handlers = {
    async open(request: Extract<StandbyRequest, { do: 'open' }>): Promise<OpenAnswer> {
      activity.lastAtMs = Date.now()
      const none = await findOtherCaller(request, serving)
      drop()
      if (none !== undefined || isGone) return { none: none ?? 'the caller has gone' }
      const copy = copies.take()
      if (copy === undefined) {
        copies.fill()
        return { none: copies.problem ?? 'no standby copy is ready yet' }
      }
      reserved = reserve(copy, serving.tools)
      return { offer: { ...copy.offer, variables: [...copy.variables.keys()] } }
    },
    async take(request: TakeRequest): Promise<TakeAnswer> {
      if (reserved === undefined) throw new TestfleetError('USAGE', 'no copy is reserved for this connection')
      const { copy } = reserved
      const other = findOtherVariable(copy, request)
      if (other !== undefined) {
        const { ready } = reserved
        reserved = undefined
        // One that is not ready is removed.
        void ready.then(
          () => copies.putBack(copy),
          () => copies.discard(copy),
        )
        const refused = `the variable ${other} had another value when the standby copy was prepared`
        return { refused, isOnlyThis: false }
      }
      const outcome = await give(reserved, request, serving)
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
    async set({ settings }: Extract<StandbyRequest, { do: 'set' }>) {
      activity.lastAtMs = Date.now()
      copies.set(await serving.complete(settings))
      await whenSettled(serving)
      return describe(serving)
    },
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

/** Whether the caller is another program, or wants another engine. Copies of another version are of no use any more. */
async function findOtherCaller(
  { program, engine, insecureEngine }: Extract<StandbyRequest, { do: 'open' }>,
  { order, end }: Serving,
): Promise<string | undefined> {
  if (program !== order.program) {
    end()
    return 'the standby copies are those of another version of testfleet, and are removed'
  }
  const isSame = engine === order.engine && (insecureEngine ?? false) === (order.insecureEngine ?? false)
  return isSame ? undefined : 'the standby copies are on the engine of another call'
}

function findOtherVariable({ variables }: Copy, { environment }: TakeRequest): string | undefined {
  return [...variables].find(([name, value]) => environment[name] !== value)?.[0]
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
async function give({ copy, ready, isSame }: Reserved, request: TakeRequest, serving: Serving): Promise<TakeAnswer> {
  const { order, tools } = serving
  const host = { ...tools.host, environment: request.environment }
  try {
    const [stale, record] = await Promise.all([
      isSame().then((isKnown) => (isKnown ? undefined : findStaleness(copy, order, { ...tools, host }))),
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
