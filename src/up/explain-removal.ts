import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { say } from '../model/surface.ts'
import { wasTakenDown } from '../sessions/hold.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'

/** The record of a session goes last, soon after its servers. */
const RECORD_MS = 2000
const LOOK_MS = 50
const ASK_MS = 5000

/**
 * Returns the failure of a start whose server another call has removed meanwhile: NO_SESSION after a `down`, and else
 * NOT_FOUND with the server's name. When nothing was removed, or the call itself is cancelled, returns the error as it is.
 */
export async function explainRemoval(
  error: unknown,
  created: ReadonlyMap<string, string>,
  { id, name }: Pick<StoredRecord, 'id' | 'name'>,
  { runtime, sessions, cancelSignal }: Pick<Tools, 'runtime' | 'sessions' | 'cancelSignal'>,
): Promise<unknown> {
  if (cancelSignal.aborted) return error
  const signal = AbortSignal.timeout(ASK_MS)
  const isGone = async (container: string): Promise<boolean> =>
    runtime.inspectServer(container, { signal }).then(
      () => false,
      (failure: unknown) => isFailure(failure, 'NOT_FOUND'),
    )
  const looks = [...created].map(async ([server, container]) => ((await isGone(container)) ? [server] : []))
  const [removed] = (await Promise.all(looks)).flat()
  // A server that could not even be created has no id yet.
  if (removed === undefined && !isFailure(error, 'NOT_FOUND')) return error
  for (const untilMs = performance.now() + RECORD_MS; performance.now() < untilMs; await sleep(LOOK_MS)) {
    // A list that is read while the record is being replaced can lack it, so its absence is confirmed.
    const found = await sessions.find(id, { signal }).catch(() => true)
    if (found === undefined && (await sessions.find(id, { signal }).catch(() => true)) === undefined)
      return wasTakenDown(name, undefined)
  }
  if (removed === undefined) return error
  return new TestfleetError('NOT_FOUND', `${removed} was removed by another call while this call started it`, {
    server: removed,
    hint: say('startAgain'),
    cause: error,
  })
}
