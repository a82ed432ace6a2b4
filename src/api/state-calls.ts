import type { SessionReport } from '../model/running.ts'
import { LookCalls } from './look-calls.ts'
import type { SessionOptions } from './types/options.ts'
import type { Snapshot, StateChange, StateOptions } from './types/state.ts'

/** Calls that bring servers of sessions into an earlier state. */
export class StateCalls extends LookCalls {
  /**
   * Makes a server pristine, as `reset` of its handle does, and returns it as it is then.
   *
   * @throws {TestfleetError} NO_SESSION, UNKNOWN_SERVER, SESSION_BUSY, USAGE, RESET_FAILED, READY_TIMEOUT, SERVER_DIED
   * @example
   * await testfleet.reset('cache', { session: 'shop' })
   */
  async reset(server: string, options: StateOptions = {}): Promise<SessionReport> {
    return this.#change(server, { verb: 'reset' }, options)
  }

  /**
   * Saves the state of a server under a name, as `snapshot` of its handle does, and returns it as it is then.
   *
   * @throws {TestfleetError} NO_SESSION, UNKNOWN_SERVER, NOT_RUNNING, SESSION_BUSY, USAGE, READY_TIMEOUT, SERVER_DIED
   * @example
   * await testfleet.snapshot('db', 'seeded')
   */
  async snapshot(server: string, name: string, options: StateOptions = {}): Promise<SessionReport> {
    return this.#change(server, { verb: 'snapshot', name }, options)
  }

  /**
   * Brings a server back to the state of a snapshot, as `restore` of its handle does, and returns it as it is then.
   *
   * @throws {TestfleetError} NO_SESSION, UNKNOWN_SERVER, UNKNOWN_SNAPSHOT, SESSION_BUSY, READY_TIMEOUT, SERVER_DIED
   * @example
   * await testfleet.restore('db', 'seeded')
   */
  async restore(server: string, name: string, options: StateOptions = {}): Promise<SessionReport> {
    return this.#change(server, { verb: 'restore', name }, options)
  }

  /**
   * Lists the snapshots of a server, the oldest first.
   *
   * @throws {TestfleetError} NO_SESSION, UNKNOWN_SERVER
   * @example
   * const names = (await testfleet.snapshots('db')).map(({ name }) => name)
   */
  async snapshots(server: string, options: SessionOptions = {}): Promise<readonly Snapshot[]> {
    return this.operate('snapshots', options, async (settings) => {
      return (await import('./calls/state.ts')).snapshots(settings, server, options)
    })
  }

  /**
   * Removes a snapshot.
   *
   * @throws {TestfleetError} NO_SESSION, UNKNOWN_SERVER, UNKNOWN_SNAPSHOT, USAGE while the server runs from it
   * @example
   * await testfleet.removeSnapshot('db', 'seeded')
   */
  async removeSnapshot(server: string, name: string, options: SessionOptions = {}): Promise<void> {
    await this.operate('removeSnapshot', options, async (settings) => {
      await (await import('./calls/state.ts')).dropSnapshot(settings, server, name, options)
    })
  }

  #change(server: string, change: StateChange, options: StateOptions): Promise<SessionReport> {
    return this.operate(change.verb, options, async (settings) => {
      return (await import('./calls/state.ts')).changeState(settings, server, change, options)
    })
  }
}
