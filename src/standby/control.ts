import { connectLender, startLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import type { Host } from '../model/host.ts'
import type { Standby } from '../model/standby.ts'
import type { EngineOptions, StandbyOrder, StandbyRequest, StandbySource, StandbyStatus } from './protocol.ts'
import { programOf, standbySocket } from './socket.ts'

/** Preparing a copy may build images. */
const PREPARE_TIMEOUT_MS = 30 * 60_000
const STOP_TIMEOUT_MS = 180_000

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

/** Holds that many copies. Resolves once they are ready, or cannot be. */
export async function hold(
  request: HoldRequest & { readonly settings: Standby },
  host: Host,
  signal: AbortSignal,
): Promise<StandbyStatus> {
  const lender = await startHolding(request, host, signal)
  try {
    return await ask(lender, { do: 'set', settings: request.settings }, PREPARE_TIMEOUT_MS, signal)
  } finally {
    lender.close()
  }
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
    return await ask(lender, { do: 'stop' }, STOP_TIMEOUT_MS, signal)
  } finally {
    lender.close()
  }
}

async function ask(
  lender: LenderClient,
  request: StandbyRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<StandbyStatus> {
  return (await lender.ask(request, { signal, timeoutMs })) as unknown as StandbyStatus
}
