import { existsSync } from 'node:fs'
import type { CommandView } from '../command-in-session.ts'
import { connectLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import type { OnEvent } from '../model/events.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { SessionReport } from '../model/running.ts'
import { describeVariables, type VariableSources } from '../report/variables.ts'
import { joinKeeper, type KeeperClient, ownHolder } from '../sessions/keeper/client.ts'
import type { StoredRecord } from '../sessions/store.ts'
import { listenForTakedown, type TakedownListener } from '../sessions/taken-down.ts'
import type {
  EngineOptions,
  Offer,
  OpenAnswer,
  SentSources,
  StandbyRequest,
  StandbySource,
  TakeAnswer,
} from './protocol.ts'
import { programOf, standbySocket } from './socket.ts'

/** A copy that this process is about to get. It is known what it gives a command before it is ready. */
export interface Taking {
  /** Id of its session. */
  readonly id: string
  readonly report: SessionReport
  /** Socket of the copy's keeper. */
  readonly socket: string
  /** Socket at which its servers are lent. */
  readonly lender: string
  readonly view: CommandView
  /** Resolves once the copy is fresh, ready and held by this process. Fails with `NotTaken`. */
  readonly taken: Promise<Taken>
  /** Gives the copy up. */
  cancel(): void
}

/** A copy that this process holds. */
export interface Taken {
  readonly record: StoredRecord
  readonly keeper: KeeperClient
  readonly listener: TakedownListener
}

/** The copy cannot be used, for the reason in the message. */
export class NotTaken extends Error {
  /** Whether another copy may do. */
  readonly isOnlyThis: boolean

  constructor(message: string, { isOnlyThis = true }: { readonly isOnlyThis?: boolean } = {}) {
    super(message)
    this.isOnlyThis = isOnlyThis
  }
}

export interface TakeRequest extends EngineOptions {
  readonly source: StandbySource
  readonly signal: AbortSignal
}

const OPEN_TIMEOUT_MS = 5000
const TAKE_TIMEOUT_MS = 30_000

/** Whether a lender may hold copies of this fleet. Asks nobody. */
export function mayBeHeld(source: StandbySource, host: Host): boolean {
  return host.platform === 'win32' || existsSync(standbySocket(source, host))
}

/** Begins to take a copy. Undefined when there is none, after an event that says why. */
export async function beginTaking(request: TakeRequest, host: Host, onEvent: OnEvent): Promise<Taking | undefined> {
  const connecting = connectLender(standbySocket(request.source, host), request.signal)
  // This process can be found as a holder when the lender answers.
  const listening = listenForTakedown(host)
  let taking: Taking | undefined
  let lender: LenderClient | undefined
  try {
    lender = await connecting
    if (lender !== undefined) taking = await askForCopy(lender, listening, request, host)
  } catch (error) {
    const isRefusal = error instanceof NotTaken || (isFailure(error) && !request.signal.aborted)
    if (!isRefusal) throw error
    onEvent({ kind: 'warned', message: `the fleet is started: ${error.message}` })
  } finally {
    if (taking === undefined) {
      lender?.close()
      void listening.then((listener) => listener.close())
    }
  }
  return taking
}

async function askForCopy(
  lender: LenderClient,
  listening: Promise<TakedownListener>,
  { engine, insecureEngine, signal }: TakeRequest,
  host: Host,
): Promise<Taking> {
  const ask = <Answer>(content: StandbyRequest, timeoutMs: number): Promise<Answer> =>
    lender.ask(content, { signal, timeoutMs }) as Promise<Answer>
  const open = { do: 'open', program: programOf(host), engine, insecureEngine } as const
  const answer = await ask<OpenAnswer>(open, OPEN_TIMEOUT_MS)
  if ('none' in answer) throw new NotTaken(answer.none)
  return openTaking(answer.offer, { lender, listening, ask, signal }, host)
}

interface Line {
  readonly lender: LenderClient
  readonly listening: Promise<TakedownListener>
  readonly ask: <Answer>(content: StandbyRequest, timeoutMs: number) => Promise<Answer>
  readonly signal: AbortSignal
}

async function openTaking(offer: Offer, line: Line, host: Host): Promise<Taking> {
  const { report, servers, keeper: socket, lender, sources } = offer
  const taken = take(offer, line, host)
  taken.catch(() => {})
  const ready = taken.then(() => {})
  ready.catch(() => {})
  const variables = await describeVariables(readSources(sources), report, host)
  const cancel = (): void => line.lender.close()
  return { id: offer.copy, report, socket, lender, view: { variables, servers, ready }, taken, cancel }
}

function readSources({ exports, ...sources }: SentSources): VariableSources {
  return { ...sources, exports: exports.map(({ secrets, ...one }) => ({ ...one, secrets: new Map(secrets) })) }
}

/** Joins the keeper before the lender leaves it, so that the session is held by somebody all the time. */
async function take(offer: Offer, { lender, listening, ask, signal }: Line, host: Host): Promise<Taken> {
  let keeper: KeeperClient | undefined
  const listener = await listening
  try {
    const holder = { ...ownHolder(host.processId), socket: listener.socket }
    const environment = Object.fromEntries(offer.variables.map((name) => [name, host.environment[name]]))
    const asked = ask<TakeAnswer>({ do: 'take', environment, holder }, TAKE_TIMEOUT_MS)
    asked.catch(() => {})
    keeper = await joinKeeper(offer.keeper)
    const answer = await asked
    if ('refused' in answer) throw new NotTaken(answer.refused, answer)
    if (keeper === undefined) throw new NotTaken('the keeper of the standby copy does not answer')
    await ask({ do: 'taken' }, OPEN_TIMEOUT_MS)
    lender.close()
    return { record: answer.record, keeper, listener }
  } catch (error) {
    keeper?.close()
    listener.close()
    lender.close()
    // Whatever keeps a caller from its copy, the fleet can be started.
    if (!isFailure(error) || signal.aborted) throw error
    throw new NotTaken(error.message, { isOnlyThis: error.code === 'LENDER_LOST' })
  }
}
