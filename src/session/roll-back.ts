import { TestfleetError } from '../model/failures.ts'
import type { Tools } from './tools.ts'

/** What one call has made on the engine. */
export interface Made {
  readonly containers: Map<string, string>
  readonly networks: string[]
  readonly volumes: string[]
}

export function madeNothing(): Made {
  return { containers: new Map(), networks: [], volumes: [] }
}

/** Cleaning up has a deadline of its own, as the call's own signal may be what ended it. */
const CLEANUP_TIMEOUT_MS = 60_000

/** Takes back what a call has made, and nothing else. All of it is tried; fails with CLEANUP_FAILED if some stays. */
export async function takeBack(made: Made, { engine }: Tools): Promise<void> {
  const options = { signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) }
  const errors = [
    ...(await settleAll([...made.containers.values()].map((id) => engine.removeContainer(id, options)))),
    ...(await settleAll(made.networks.map((id) => engine.removeNetwork(id, options)))),
    ...(await settleAll(made.volumes.map((name) => engine.removeVolume(name, options)))),
  ]
  if (errors.length > 0) throw cleanupFailed(errors)
}

/** The errors of those that failed, once all have ended. */
export async function settleAll(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises)
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
}

export function cleanupFailed(
  errors: readonly unknown[],
  hint = 'Call `testfleet down` again once the engine answers.',
): TestfleetError {
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)))
  return new TestfleetError('CLEANUP_FAILED', `not everything could be removed: ${messages.join('; ')}`, {
    hint,
    cause: new AggregateError(errors),
  })
}
