import { isFailure, TestfleetError } from '../model/failures.ts'
import { isProcessId } from '../model/process-id.ts'
import type { ServerSpec } from '../model/session.ts'
import { say } from '../model/surface.ts'
import type { LifeState } from './server-state.ts'

/** Returns a NOT_RUNNING failure for a server that has to run. */
export function notRunning(server: string, life: Exclude<LifeState, { state: 'running' }>): TestfleetError {
  const { words, hint } = describeState(server, life)
  return new TestfleetError('NOT_RUNNING', `${server} ${words}`, { server, hint })
}

function describeState(
  server: string,
  life: Exclude<LifeState, { state: 'running' }>,
): { words: string; hint: string } {
  switch (life.state) {
    case 'paused':
      return { words: 'is paused', hint: `Run ${say('control', 'resume', server)}.` }
    case 'created':
      return { words: 'was never started', hint: `Run ${say('up', server)}.` }
    case 'completed':
      return { words: 'has completed its work and does not run', hint: `Run ${say('control', 'start', server)}.` }
    case 'exited':
      return {
        words: `does not run: it ended with exit code ${life.exitCode}`,
        hint: `Run ${say('control', 'start', server)}.`,
      }
  }
}

/** Returns a NOT_FOUND failure for a server whose container was removed. */
export function gone(server: string): TestfleetError {
  return new TestfleetError('NOT_FOUND', `the container of ${server} was removed`, {
    server,
    hint: `Run ${say('up', server)}, which creates a new one.`,
  })
}

/** Fails with USAGE for an external server. `what` is what cannot be done with it, such as `stop`. */
export function refuseExternal(server: string, spec: Pick<ServerSpec, 'external'> | undefined, what: string): void {
  if (spec?.external === undefined) return
  const why = 'it is an external server, which testfleet neither starts nor changes'
  throw new TestfleetError('USAGE', `\`${what}\` cannot be used on ${server}: ${why}`, {
    server,
    hint: 'Declare the server with an `image` or a `preset`, or unset the variable that `external` names.',
  })
}

/** Fails with USAGE for a server that has no container. `what` is what cannot be done with it, such as `reset`. */
export function refuseNoContainer(
  server: string,
  record: (Pick<ServerSpec, 'external'> & { readonly container?: string }) | undefined,
  what: string,
): void {
  refuseExternal(server, record, what)
  if (!isProcessId(record?.container ?? '')) return
  const why = 'it is a process of this machine, which has no image and no files of its own'
  throw new TestfleetError('USAGE', `\`${what}\` cannot be used on ${server}: ${why}`, {
    server,
    hint: 'Declare the server with an `image` or a `preset` in place of `process`.',
  })
}

/** Adds the server to a failure of the engine; returns any other error unchanged. */
export function aboutServer(server: string, error: unknown): unknown {
  if (!isFailure(error) || error.server !== undefined) return error
  if (error.code === 'NOT_FOUND') return gone(server)
  const { code, message, hint, output } = error
  return new TestfleetError(code, `${server}: ${message}`, { server, hint, output, cause: error })
}
