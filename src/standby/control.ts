import { connectLender, type EndLender, startLender } from '../lender/client.ts'
import { type LenderClient, lost } from '../lender/connection.ts'
import type { OnEvent } from '../model/events.ts'
import type { Host } from '../model/host.ts'
import { noteLater } from '../model/note-later.ts'
import type { Standby } from '../model/standby.ts'
import { say } from '../model/surface.ts'
import type {
  EngineOptions,
  SetAnswer,
  StandbyOrder,
  StandbyRequest,
  StandbySource,
  StandbyStatus,
} from './protocol.ts'
import { programOf, standbySocket } from './socket.ts'

/** Preparing a copy may build images. */
const PREPARE_TIMEOUT_MS = 30 * 60_000
const STOP_TIMEOUT_MS = 180_000
/** Interval of looks at how many copies are ready. */
const LOOK_MS = 1000
const VARIABLES_TIMEOUT_MS = 30_000
/** Two callers with other values of a variable can end each other's lender. */
const MOST_LENDERS = 5

export interface HoldRequest extends EngineOptions {
  readonly source: StandbySource
  /** Undefined: as the fleet file says. */
  readonly settings: Standby | undefined
}

/** Starts the process that holds copies of a fleet, unless it runs. The copies are prepared in the background. */
export function startHolding(
  { source, settings, engine, insecureEngine }: HoldRequest,
  host: Host,
  signal?: AbortSignal,
  onLaunch?: (end: EndLender | undefined) => void,
): Promise<LenderClient> {
  const environment = Object.fromEntries(
    Object.entries(host.environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  const program = programOf(host)
  const socket = standbySocket(source, host)
  const order: StandbyOrder = {
    ...{ kind: 'standby', socket, source, settings, program },
    ...{ engine, insecureEngine, environment },
  }
  return startLender(order, host, signal, onLaunch)
}

/**
 * Holds that many copies that are of use to this caller. Resolves once they are ready, or cannot be. A lender whose copies
 * were prepared for another engine or with other values of variables is replaced. A cancelled call ends the lender if it has
 * started it.
 */
export async function hold(
  request: HoldRequest & { readonly settings: Standby },
  host: Host,
  signal: AbortSignal,
  onEvent: OnEvent,
): Promise<StandbyStatus> {
  const { settings, engine, insecureEngine } = request
  const caller = { settings, engine, insecureEngine, program: programOf(host) }
  for (let lenders = 0; lenders < MOST_LENDERS; lenders += 1) {
    // An earlier round's lender may be replaced by one of another call.
    const own: { end?: EndLender | undefined } = {}
    const starting = startHolding(request, host, signal, (end) => {
      own.end = end
    })
    const lender = await starting.catch((error: unknown) => {
      if (signal.aborted) own.end?.()
      throw error
    })
    const stopTelling = tellReady(lender, settings.size, onEvent)
    try {
      const question = { do: 'variables' } as const
      const { variables } = await ask<{ variables: string[] }>(lender, question, VARIABLES_TIMEOUT_MS, signal)
      const order = { do: 'set', ...caller, environment: pickVariables(variables, host) } as const
      const asked = ask<SetAnswer>(lender, order, PREPARE_TIMEOUT_MS, signal)
      const answer = await noteLater(`preparing ${wordCopies(settings.size)}`, onEvent, asked)
      if (!('ended' in answer)) return answer
    } catch (error) {
      stopTelling()
      if (signal.aborted) await leave(lender, own.end !== undefined, onEvent)
      throw error
    } finally {
      stopTelling()
      lender.close()
    }
  }
  throw lost('other calls hold other standby copies of this fleet')
}

/** Says how many copies are ready whenever that changes. Returns a function that ends it. */
function tellReady(lender: LenderClient, size: number, onEvent: OnEvent): () => void {
  let known: number | undefined
  let isOver = false
  const look = async (): Promise<void> => {
    const { ready } = await ask<StandbyStatus>(lender, { do: 'status' }, VARIABLES_TIMEOUT_MS)
    if (isOver) return
    // The end of the call says when all are ready.
    if (known !== undefined && known !== ready.length && ready.length < size)
      onEvent({ kind: 'noted', message: `${ready.length} of ${wordCopies(size)} ready` })
    known = ready.length
  }
  const clock = setInterval(() => void look().catch(() => {}), LOOK_MS)
  return () => {
    isOver = true
    clearInterval(clock)
  }
}

function wordCopies(count: number): string {
  return `${count} standby ${count === 1 ? 'copy' : 'copies'}`
}

/** Ends a lender that a cancelled call has started. Copies that another call wants stay. */
async function leave(lender: LenderClient, isOwn: boolean, onEvent: OnEvent): Promise<void> {
  if (!isOwn) {
    const message = `the standby copies are still prepared, because another call has begun them; ${say('stopWarm')} removes them`
    onEvent({ kind: 'noted', message })
    return
  }
  onEvent({ kind: 'noted', message: 'cancelled: removing the standby copies that were begun' })
  // One that is killed meanwhile leaves them to their keepers.
  await ask(lender, { do: 'stop' }, STOP_TIMEOUT_MS).catch(() => {})
}

/** Returns what a caller tells the lender of its environment. */
function pickVariables(names: readonly string[], { environment }: Pick<Host, 'environment'>) {
  return Object.fromEntries(names.map((name) => [name, environment[name]]))
}

/** Removes the copies of a fleet. Resolves with what was there; undefined when none were held. */
export async function stopHolding(
  source: StandbySource,
  host: Host,
  signal: AbortSignal,
): Promise<StandbyStatus | undefined> {
  const lender = await connectLender(standbySocket(source, host), signal)
  if (lender === undefined) return undefined
  try {
    return await ask<StandbyStatus>(lender, { do: 'stop' }, STOP_TIMEOUT_MS, signal)
  } finally {
    lender.close()
  }
}

async function ask<Answer>(
  lender: LenderClient,
  request: StandbyRequest,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Answer> {
  return (await lender.ask(request, { signal, timeoutMs })) as unknown as Answer
}
