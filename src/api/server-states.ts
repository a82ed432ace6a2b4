import { ServerControls } from './server-controls.ts'
import type { CallOptions } from './types/options.ts'
import type { ForceOptions } from './types/servers.ts'
import type { Snapshot, StateChange } from './types/state.ts'

/** What brings a server into an earlier state, under the same endpoint. */
export class ServerStates extends ServerControls {
  /**
   * Makes the server pristine: as it was when it became ready and its `postStart` commands had run. A server with a recipe
   * in `reset` keeps running while the recipe runs; any other starts again from its image, with the same endpoint. A recipe
   * that fails is a warning, and the server starts again, too. When that fails, the server is put back as it was.
   *
   * @throws {TestfleetError} SESSION_BUSY when others hold the session and `force` is not set, USAGE for a server with
   * writable mounts, RESET_FAILED, READY_TIMEOUT, SERVER_DIED
   * @example
   * afterEach(() => fleet.server('cache').reset())
   */
  reset(options: ForceOptions = {}): Promise<void> {
    return this.#change({ verb: 'reset' }, options)
  }

  /**
   * Saves the state of the server: the files of its container and of the volumes that its image declares. An earlier
   * snapshot of that name is replaced. The server is stopped cleanly, and starts again with the same endpoint. Snapshots
   * are removed with the session.
   *
   * @throws {TestfleetError} USAGE for a name that is not allowed or a server with writable mounts, NOT_RUNNING,
   * SESSION_BUSY, READY_TIMEOUT, SERVER_DIED
   * @example
   * await fleet.server('db').snapshot('seeded')
   */
  snapshot(name: string, options: ForceOptions = {}): Promise<void> {
    return this.#change({ verb: 'snapshot', name }, options)
  }

  /**
   * Brings the server back to the state of a snapshot, with the same endpoint. Servers that depend on it keep running.
   * When it does not become ready, the server is put back as it was.
   *
   * @throws {TestfleetError} UNKNOWN_SNAPSHOT, SESSION_BUSY, READY_TIMEOUT, SERVER_DIED, USAGE when `up` has replaced
   * the server by another one since
   * @example
   * beforeEach(() => fleet.server('db').restore('seeded'))
   */
  restore(name: string, options: ForceOptions = {}): Promise<void> {
    return this.#change({ verb: 'restore', name }, options)
  }

  /**
   * Lists the snapshots of the server, the oldest first.
   *
   * @throws {TestfleetError} NO_SESSION, NOT_FOUND
   * @example
   * const names = (await fleet.server('db').snapshots()).map(({ name }) => name)
   */
  async snapshots(options: CallOptions = {}): Promise<readonly Snapshot[]> {
    return this.operate('snapshots', options, async (tools) => {
      return (await import('./calls/state.ts')).snapshotsOf(this.handle(tools), options)
    })
  }

  /**
   * Removes a snapshot.
   *
   * @throws {TestfleetError} UNKNOWN_SNAPSHOT, USAGE while the server runs from it
   * @example
   * await fleet.server('db').removeSnapshot('seeded')
   */
  async removeSnapshot(name: string, options: CallOptions = {}): Promise<void> {
    await this.operate('removeSnapshot', options, async (tools) => {
      await (await import('./calls/state.ts')).dropSnapshotOf(this.handle(tools), name, options)
    })
  }

  async #change(change: StateChange, options: ForceOptions): Promise<void> {
    const refreshed = await this.operate(change.verb, options, async (tools) => {
      const { changeStateOf } = await import('./calls/state.ts')
      return changeStateOf(this.handle(tools), change, options)
    }).catch(async (error: unknown) => {
      // A server that was put back can have other ports.
      await this.inspect().catch(() => {})
      throw error
    })
    this.refresh(refreshed)
  }
}
