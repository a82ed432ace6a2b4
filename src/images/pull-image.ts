import type { CallOptions, Engine } from '../engine/engine.ts'
import type { PullRequest } from '../engine/image-types.ts'
import type { OnEvent } from '../model/events.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Position } from '../model/fleet.ts'

export interface Pull {
  readonly reference: string
  readonly platform: string | undefined
  readonly servers: readonly string[]
  /** The first place in the fleet file that needs it. */
  readonly at: Position
}

/** Pulls with progress. Fails with PULL_FAILED or IMAGE_NOT_FOUND. */
export async function pullImage(pull: Pull, engine: Engine, onEvent: OnEvent, options: CallOptions): Promise<void> {
  const { reference, platform, servers, at } = pull
  const startedAt = performance.now()
  onEvent({ kind: 'pulling', reference, servers, status: 'asking the registry' })
  const request: PullRequest = {
    platform,
    onProgress: ({ status, currentBytes, totalBytes }) => {
      const share = totalBytes > 0 ? ` ${Math.floor((currentBytes / totalBytes) * 100)} %` : ''
      onEvent({ kind: 'pulling', reference, servers, status: `${status}${share}` })
    },
  }
  try {
    await engine.pullImage(reference, request, options)
    onEvent({ kind: 'pulled', reference, servers, elapsedMs: performance.now() - startedAt })
  } catch (error) {
    if (!isFailure(error, 'PULL_FAILED') && !isFailure(error, 'IMAGE_NOT_FOUND')) throw error
    throw new TestfleetError(error.code, error.message, { hint: error.hint, server: servers[0], at, cause: error })
  }
}

/** Pulls all of them concurrently. The first failure ends the others. */
export async function pullImages(
  pulls: readonly Pull[],
  engine: Engine,
  onEvent: OnEvent,
  options: CallOptions,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])])
  try {
    await Promise.all(pulls.map((pull) => pullImage(pull, engine, onEvent, { signal })))
  } finally {
    stop.abort()
  }
}
