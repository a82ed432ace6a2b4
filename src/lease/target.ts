import type { CallOptions, ExecRequest } from '../engine/engine.ts'
import { createMask, type Mask } from '../failure/mask.ts'
import { formatDuration } from '../formats/duration.ts'
import { wordError } from '../formats/word-error.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { fillHookEnvironment, type Hook } from '../model/hook.ts'
import type { Host } from '../model/host.ts'
import type { ServerRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { openSecretReader } from '../servers/secrets.ts'

/** A running server, and what its session's record says of it. */
export interface LeaseTarget {
  readonly server: string
  /** Id of its container. */
  readonly container: string
  readonly spec: TargetSpec
  /** Waits until the server answers, as at its start: the steps of a reset may have started it again. */
  awaitReady?(options: CallOptions): Promise<void>
}

export type TargetSpec = Pick<ServerRecord, 'secrets' | 'secretDigest' | 'sealed' | 'execEnvironment' | 'lending'>

export interface LeaseTools {
  readonly runtime: Runtime
  readonly host: Host
}

/** What is run in the server, with its variables, and what must not be shown of its output. */
export interface FilledHook {
  readonly request: ExecRequest
  readonly mask: Mask
}

/** Fills in the variables of a command: those of `exec`, then the command's own. */
export async function fillHook(
  { server, container, spec }: LeaseTarget,
  { command, user, workingDir, environment }: Hook,
  { runtime, host }: LeaseTools,
  options: CallOptions,
): Promise<FilledHook> {
  const values = { ...spec.execEnvironment, ...environment }
  const needsSecrets = Object.values(values).some(({ kind }) => kind === 'secret')
  const secrets = needsSecrets
    ? await openSecretReader(runtime, host, options)({ server, container, spec })
    : new Map<string, string>()
  const where = { ...(user !== undefined && { user }), ...(workingDir !== undefined && { workingDir }) }
  const request = { command, environment: fillHookEnvironment(values, secrets), ...where }
  return { request, mask: createMask(secrets.values()) }
}

/** Number of lines of output in a failure. */
const LINES_SHOWN = 20

/** The last lines of what a command printed. */
export function lastLines(text: string, mask: Mask): readonly string[] {
  const lines = mask.text(text).trimEnd().split('\n')
  return lines[0] === '' && lines.length === 1 ? [] : lines.slice(-LINES_SHOWN)
}

/** A console or a command that did not do what was asked, before it is known for what it was asked. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
  readonly output: readonly string[]
  readonly hint: string | undefined

  constructor(
    why: string,
    output: readonly string[],
    details: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(why, details.cause === undefined ? undefined : { cause: details.cause })
    this.output = output
    this.hint = details.hint
  }

  /** The failure that a caller sees. `what` names what was to be done. */
  toFailure(code: 'RESET_FAILED' | 'DATABASE_FAILED', server: string, what: string): TestfleetError {
    const { message, output, hint, cause } = this
    return new TestfleetError(code, `${server}: ${what} ${message}`, { server, output, hint, cause })
  }
}

/** Runs one step with a deadline. Rejects with a StepFailure, or with the reason of `outer`. */
export async function runStep<Result>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<Result>,
  readOutput: () => readonly string[] = () => [],
): Promise<Result> {
  outer?.throwIfAborted()
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await run(outer === undefined ? timeout : AbortSignal.any([outer, timeout]))
  } catch (error) {
    outer?.throwIfAborted()
    if (timeout.aborted)
      throw new StepFailure(`was not done within ${formatDuration(timeoutMs)}`, readOutput(), {
        hint: 'Increase its `timeout` if it needs longer.',
      })
    if (!isFailure(error, 'COMMAND_NOT_FOUND')) throw error
    const hint = error.hint ?? 'Check the spelling of the command, and that the image has it.'
    throw new StepFailure(`cannot be done: ${wordError(error)}`, readOutput(), { hint, cause: error })
  }
}
