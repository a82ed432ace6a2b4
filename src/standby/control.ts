import { connectLender, startLender } from '../lender/client.ts'
import { type LenderClient, lost } from '../lender/connection.ts'
import type { Host } from '../model/host.ts'
import type { Standby } from '../model/standby.ts'
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
  return startLender(order, host, signal)
}

/**
 * Holds that many copies that are of use to this caller. Resolves once they are ready, or cannot be. A lender whose copies
 * were prepared for another engine or with other values of variables is replaced.
 */
export async function hold(
  request: HoldRequest & { readonly settings: Standby },
  host: Host,
  signal: AbortSignal,
): Promise<StandbyStatus> {
  const { settings, engine, insecureEngine } = request
  const caller = { settings, engine, insecureEngine, program: programOf(host) }
  for (let lenders = 0; lenders < MOST_LENDERS; lenders += 1) {
    const lender = await startHolding(request, host, signal)
    try {
      const question = { do: 'variables' } as const
      const { variables } = await ask<{ variables: string[] }>(lender, question, VARIABLES_TIMEOUT_MS, signal)
      const order = { do: 'set', ...caller, environment: pickVariables(variables, host) } as const
      const answer = await ask<SetAnswer>(lender, order, PREPARE_TIMEOUT_MS, signal)
      if (!('ended' in answer)) return answer
    } finally {
      lender.close()
    }
  }
  throw lost('other calls hold other standby copies of this fleet')
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
  const lender = await connectLender(standbySocket(source, host))
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
  signal: AbortSignal,
): Promise<Answer> {
  return (await lender.ask(request, { signal, timeoutMs })) as unknown as Answer
}
