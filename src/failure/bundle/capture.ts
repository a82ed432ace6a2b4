import { isFailure } from '../../model/failures.ts'
import type { StoredRecord } from '../../sessions/record.ts'
import type { Tools } from '../../tools.ts'
import { createMask } from '../mask.ts'
import { maskFailure } from '../mask-failure.ts'
import { lookAtScene } from './scene.ts'
import { knownSecrets } from './session-secrets.ts'
import { type Bundle, bundleDeadline, writeBundle } from './write-bundle.ts'

/**
 * Keeps all that can be known of a failure, before anything is removed: the error is masked, told, and names its bundle.
 * A call that was cancelled has none. Without a session, what was built is all there is.
 */
export async function captureFailure(error: unknown, session: StoredRecord | undefined, tools: Tools): Promise<void> {
  if (tools.cancelSignal.aborted) {
    maskFailure(error, createMask(knownSecrets(tools)))
    tellFailure(error, tools)
    return
  }
  const signal = bundleDeadline(tools)
  const scene = await lookAtScene(session, tools, { signal })
  maskFailure(error, scene.mask)
  tellFailure(error, tools)
  const bundle = await writeBundle(error, scene, tools, signal)
  if (!isFailure(error)) return
  error.bundle = bundle.folder
  error.archive = bundle.archive
  error.bundleProblem = bundle.problem
  error.summary = bundle.summary
}

/** The same for what is no error of ours, such as a test command that fails; `what` says it. */
export async function captureState(what: string, session: StoredRecord, tools: Tools): Promise<Bundle> {
  const signal = bundleDeadline(tools)
  return writeBundle(what, await lookAtScene(session, tools, { signal }), tools, signal)
}

function tellFailure(error: unknown, { onEvent }: Tools): void {
  if (!isFailure(error)) return
  onEvent({ kind: 'failed', servers: error.server === undefined ? [] : [error.server], message: error.message })
}
