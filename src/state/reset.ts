import { wordError } from '../formats/word-error.ts'
import { runReset } from '../lease/reset.ts'
import { isFailure } from '../model/failures.ts'
import { label } from '../model/labels.ts'
import type { SessionReport } from '../model/running.ts'
import { awaitReady, type ObservedServer } from '../report/report.ts'
import type { Tools } from '../tools.ts'
import { exchangeServer, requireOwnFiles, type SessionName, type StateRequest } from './exchange.ts'
import { findPristine } from './start-replacement.ts'

/**
 * Makes a server pristine: as it was when it became ready and its `postStart` commands had run. A server with a recipe
 * in `reset` keeps its container and runs the recipe; any other, or one that was started from a snapshot, starts again
 * from its image.
 */
export async function resetServer(session: SessionName, request: StateRequest, tools: Tools): Promise<SessionReport> {
  return exchangeServer(
    session,
    request,
    {
      async check(old) {
        if (!hasRecipe(old)) await requireOwnFiles(old, tools)
      },
      workInPlace: async (old) => hasRecipe(old) && (await runRecipe(old, tools)),
      async work({ old, startFrom }) {
        await startFrom(await findPristine(old.container, tools), (started) => runPostStart(started, tools))
      },
    },
    tools,
  )
}

function hasRecipe({ spec, container: { image, imageId, state, labels } }: ObservedServer): boolean {
  const pristine = labels[label.pristine] ?? ''
  // A recipe leads back to the start of its container, which may have started from a snapshot.
  const isFromSnapshot = pristine !== '' && pristine !== image && pristine !== imageId
  return spec.lending?.reset !== undefined && state === 'running' && !isFromSnapshot
}

/** Returns whether the recipe has succeeded. If it has not, the server can only start again, if that makes it pristine. */
async function runRecipe(server: ObservedServer, tools: Tools): Promise<boolean> {
  const { name, container, spec } = server
  const { runtime, host, signal, onEvent } = tools
  const target = { server: name, container: container.id, spec }
  const awaitAnswer = () => awaitReady(target, container, tools, signal).then(() => {})
  try {
    await runReset({ ...target, awaitReady: awaitAnswer }, { runtime, host }, { signal })
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (!isFailure(error, 'RESET_FAILED')) throw error
    const [shared] = await Promise.allSettled([requireOwnFiles(server, tools)])
    if (shared.status === 'rejected') throw error
    onEvent({ kind: 'warned', message: `${wordError(error)}; ${name} starts again from its image instead` })
    return false
  }
}

/** A recipe without steps consists of the `postStart` commands. */
async function runPostStart(
  { name, container, spec }: ObservedServer,
  { runtime, host, signal }: Tools,
): Promise<void> {
  const { lending } = spec
  if (lending?.postStart === undefined) return
  const target = { server: name, container: container.id, spec: { ...spec, lending: { ...lending, reset: [] } } }
  await runReset(target, { runtime, host }, { signal })
}
