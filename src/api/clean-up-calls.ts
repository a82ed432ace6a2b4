import { StateCalls } from './state-calls.ts'
import type { DownOptions, RemovedSession } from './types/down.ts'
import type { Pruned, PruneOptions } from './types/prune.ts'
import type { RemoveImagesOptions } from './types/remove.ts'

/** Calls that remove what is no longer needed. */
export class CleanUpCalls extends StateCalls {
  /**
   * Removes a session with everything that it owns. If there is no such session, nothing is removed.
   *
   * @throws {TestfleetError} SESSION_BUSY while other processes hold it, CLEANUP_FAILED
   * @example
   * await testfleet.down({ session: 'shop' })
   */
  async down(options: DownOptions = {}): Promise<RemovedSession> {
    return this.operate('down', options, async (settings) => {
      return (await import('./calls/down.ts')).takeDown(settings, options)
    })
  }

  /**
   * Removes servers of a session, and leaves the rest.
   *
   * @throws {TestfleetError} UNKNOWN_SERVER before anything is touched, SESSION_BUSY, CLEANUP_FAILED
   * @example
   * await testfleet.remove(['web'], { session: 'shop' })
   */
  async remove(servers: readonly string[], options: DownOptions = {}): Promise<RemovedSession> {
    return this.operate('rm', options, async (settings) => {
      return (await import('./calls/down.ts')).remove(settings, servers, options)
    })
  }

  /**
   * Removes the images that were built for a fleet, and returns their references.
   *
   * @throws {TestfleetError} FLEET_FILE_NOT_FOUND, UNKNOWN_SERVER
   * @example
   * await testfleet.removeImages({ servers: ['web'] })
   */
  async removeImages(options: RemoveImagesOptions = {}): Promise<readonly string[]> {
    return this.operate('rmi', options, async (settings) => {
      return (await import('./calls/remove-images.ts')).removeImages(settings, options)
    })
  }

  /**
   * Removes what dead sessions have left on the engine and, with `keepImages`, old images.
   *
   * @throws {TestfleetError} CLEANUP_FAILED, NO_ENGINE and the other codes of engines
   * @example
   * const { removed } = await testfleet.prune({ all: true, olderThanMs: 3_600_000 })
   */
  async prune(options: PruneOptions = {}): Promise<Pruned> {
    return this.operate('prune', options, async (settings) => {
      return (await import('./calls/prune.ts')).pruneEngine(settings, options)
    })
  }
}
