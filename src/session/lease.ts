import { randomBytes, randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { leaseLabels, listLeases } from '../containers/lease-labels.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Labels } from '../model/labels.ts'
import { type Holder, type Lease, type LeaseKind, leaseVolume } from '../model/lease.ts'
import { judgeLease } from '../sessions/keeper/judge-lease.ts'
import { identifyProcess, readMachine } from '../sessions/keeper/processes.ts'
import { keeperSocket } from '../sessions/keeper/socket-path.ts'
import { type Keeper, startKeeper } from '../sessions/keeper/start-keeper.ts'
import { endLease } from './end-lease.ts'
import type { Tools } from './tools.ts'

export interface LeaseRequest {
  /** See `makeLeaseId`. */
  readonly id: string
  readonly session: string
  readonly kind: Exclude<LeaseKind, 'time'>
  /** What everything of the session carries. */
  readonly labels: Labels
}

/** A lease from its beginning to its end. What is made under it is never left to chance: a keeper stands by. */
export interface OwnLease extends Pick<Lease, 'id' | 'session' | 'kind' | 'volume'> {
  /** What everything of the session carries. */
  readonly labels: Labels
  /**
   * Puts the lease on the engine: from then on things can be made. One call at a time works on a session: waits for
   * another that does. Fails with SESSION_BUSY when the session is held by others.
   */
  take(): Promise<void>
  /** Where others can join; empty when they cannot. */
  readonly socket: string
  /** What was made stays, even if this process dies now. Whether the keeper knows: it may have been killed. */
  keep(): Promise<boolean>
  /** Puts another lease on the engine, which this one's keeper will see to: after `handOver`, or at the next call. */
  putTimed(time: TimeLease): Promise<void>
  /** From now on the keeper holds the session until that time, and `end` leaves it at it. */
  handOver(time: TimeLease): Promise<void>
  /** How many others hold the session. With none, nobody can join any more, and taking it down is left to us. */
  leave(): Promise<number>
  /** All is done, the lease on the engine too: the keeper ends. Only the first `end` or `abandon` counts. */
  end(): void
  /** Leaves what there is to do to the keeper. */
  abandon(): void
}

export interface TimeLease {
  readonly id: string
  /** In milliseconds since 1970. */
  readonly untilMs: number
}

/** Long enough that no two are ever the same. */
export function makeLeaseId(): string {
  return randomBytes(6).toString('hex')
}

/** Starts the keeper, and does not wait for it: there is other work until something is made. */
export function openLease(request: LeaseRequest, tools: Tools): OwnLease {
  const { id, session, kind, labels } = request
  const { engine, host, onEvent, signal } = tools
  const order = { session, lease: id, kind, endpoint: engine.location.endpoint, socket: keeperSocket(id, host) }
  const starting = startKeeper(order, host)
  starting.catch(() => {})
  let keeper: Keeper | undefined
  let isOver = false
  let isHandedOver = false

  const put = (lease: string, leaseKind: LeaseKind, untilMs?: number): Promise<void> =>
    engine.createVolume(leaseVolume(session, lease), {
      ...labels,
      ...leaseLabels(lease, leaseKind, describeHolder(keeper, host.processId, untilMs)),
    })
  const finish = (act: (keeper: Keeper) => void): void => {
    if (isOver) return
    isOver = true
    // One that is still starting is told once it can hear.
    void starting.then(
      (started) => {
        if (started !== undefined) act(started)
      },
      () => {},
    )
  }
  const volume = leaseVolume(session, id)
  return {
    id,
    session,
    kind,
    volume,
    labels,
    get socket() {
      return keeper?.socket ?? ''
    },
    async take() {
      keeper = await starting
      if (keeper === undefined) onEvent({ kind: 'warned', message: NO_KEEPER })
      for (;;) {
        signal.throwIfAborted()
        // Whoever sees nobody after this is not seen by nobody: of two calls at once, at most one goes on.
        await put(id, kind)
        const others = await findOthers(id, session, tools)
        if (others.length === 0) return
        await engine.removeVolume(volume)
        await waitForOthers(others, request, tools)
      }
    },
    async keep() {
      return (await keeper?.ask({ do: 'keep' })) !== undefined
    },
    putTimed: (time) => put(time.id, 'time', time.untilMs),
    async handOver(time) {
      isHandedOver = (await keeper?.ask({ do: 'until', untilMs: time.untilMs, lease: time.id })) !== undefined
    },
    async leave() {
      return (await keeper?.ask({ do: 'leave' }))?.held ?? 0
    },
    end: () => finish((started) => (isHandedOver ? started.let() : started.tell({ do: 'end' }))),
    abandon: () => finish((started) => started.let()),
  }
}

const NO_KEEPER =
  'the process that cleans up after this one could not be started; if this one is killed, the next call of testfleet will clean up'

function describeHolder(keeper: Keeper | undefined, processId: number, untilMs: number | undefined): Holder {
  return {
    machine: readMachine(),
    processes: [identifyProcess(processId), keeper?.process].filter((process) => process !== undefined),
    socket: keeper?.socket ?? '',
    untilMs,
  }
}

/** Others that work on the session, or hold it. The dead are buried on the way. */
async function findOthers(id: string, session: string, tools: Tools): Promise<readonly Lease[]> {
  const leases = await listLeases(tools.engine, session, tools)
  const others = leases.filter((lease) => lease.id !== id && lease.kind !== 'time')
  const here = readMachine()
  const living: Lease[] = []
  for (const lease of others) {
    if (judgeLease(lease, here, Date.now()) === 'dead') await endLease(lease, { isKept: false }, tools)
    else living.push(lease)
  }
  return living
}

const POLL_MS = { min: 50, max: 200 } as const

async function waitForOthers(others: readonly Lease[], request: LeaseRequest, tools: Tools): Promise<void> {
  const { session } = request
  const holding = others.find(({ kind }) => kind === 'hold' || request.kind === 'hold')
  if (holding !== undefined) throw sessionBusy(holding)
  tools.onEvent({ kind: 'queued', session, behind: describeProcess(others[0]) })
  // Two that met take up their work again at different times.
  do await sleep(randomInt(POLL_MS.min, POLL_MS.max), undefined, { signal: tools.signal }).catch(() => {})
  while (!tools.signal.aborted && (await findOthers('', session, tools)).length > 0)
}

function sessionBusy(lease: Lease): TestfleetError {
  const how = lease.kind === 'hold' ? 'is held by' : 'is being changed by'
  return new TestfleetError('SESSION_BUSY', `the session ${lease.session} ${how} ${describeProcess(lease)}`, {
    hint: 'Name another session with --session, or wait until that one has ended.',
  })
}

function describeProcess(lease: Lease | undefined): string {
  const process = lease?.holder?.processes[0]
  return process === undefined ? 'another call' : `process ${process.pid} of ${lease?.holder?.machine.name}`
}
