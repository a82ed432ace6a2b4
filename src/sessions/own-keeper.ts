import type { Host } from '../model/host.ts'
import type { Holder, Keeper } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { type StartedKeeper, startKeeper } from './keeper/client.ts'
import { keeperSocket } from './keeper/protocol.ts'
import { identifyProcess, readMachine } from './processes.ts'

/** The keeper of this call, from the moment it is started: others work goes on until its answer is needed. */
export interface OwnKeeper {
  /** As the record names it; undefined when it did not come up. */
  readonly started: Promise<Keeper | undefined>
  /** How many others hold the session; undefined when the keeper is gone. */
  leave(): Promise<number | undefined>
  /** From now on it ends the session at that time. Whether it has heard. */
  endAt(untilMs: number): Promise<boolean>
  /** Nothing is left to do: it ends. Only the first call of `end`, `leaveAlone` and `endAt` counts. */
  end(): void
  /** Leaves what there is to do to it. */
  leaveAlone(): void
}

export interface GuardedSession {
  readonly id: string
  readonly name: string
  /** The id of this call's change. */
  readonly change: string
}

/** Starts a keeper that undoes the change, or ends the session, when this process dies. */
export function startOwnKeeper(guarded: GuardedSession, runtime: Runtime, host: Host): OwnKeeper {
  const { id, name: session, change } = guarded
  const { endpoint } = runtime.location
  const starting = startKeeper({ id, session, change, endpoint, socket: keeperSocket(change, host) }, host)
  starting.catch(() => {})
  let isOver = false
  const finish = (act: (keeper: StartedKeeper) => void): void => {
    if (isOver) return
    isOver = true
    // One that is still starting is told once it can hear.
    void starting.then(
      (keeper) => {
        if (keeper !== undefined) act(keeper)
      },
      () => {},
    )
  }
  return {
    started: starting.then((keeper) => {
      if (keeper === undefined) return undefined
      return { machine: readMachine(), process: keeper.process, socket: keeper.socket }
    }),
    async leave() {
      return (await (await starting)?.ask({ do: 'leave' }))?.held
    },
    async endAt(untilMs) {
      const hasHeard = (await (await starting)?.ask({ do: 'until', untilMs })) !== undefined
      if (hasHeard) finish((keeper) => keeper.close())
      return hasHeard
    },
    end: () => finish((keeper) => keeper.tell({ do: 'end' })),
    leaveAlone: () => finish((keeper) => keeper.close()),
  }
}

export function ownHolder(processId: number): Holder {
  return { machine: readMachine(), process: identifyProcess(processId) ?? { pid: processId, startedAt: '' } }
}
