import { randomBytes } from 'node:crypto'
import { isFailure } from '../../model/failures.ts'
import type { CallOptions, ExecProcess, ExecRequest } from '../engine.ts'
import type { Client } from './client.ts'
import { endExec, execMark, type RunningExec } from './end-exec.ts'
import { createExec, startExec } from './exec.ts'

/**
 * Runs a command in a container. After an abort, a reader that stops early, or a broken connection, ends the command
 * and all programs that it has started before the failure is thrown.
 */
export async function runExec(
  client: Client,
  container: string,
  request: ExecRequest,
  options: CallOptions = {},
): Promise<ExecProcess> {
  const mark = randomBytes(16).toString('hex')
  const marked = { ...request, environment: { ...request.environment, [execMark]: mark } }
  const exec = await createExec(client, container, marked, options)
  const running: RunningExec = { container, exec, mark, command: request.command, user: request.user }
  let ending: Promise<void> | undefined
  const end = (): Promise<void> => {
    ending ??= endExec(client, running).then((left) => noteLeft(left, options.signal?.reason))
    return ending
  }
  try {
    return await startExec(client, exec, marked, options, end)
  } catch (error) {
    // The command may have been started although no answer came.
    if (options.signal?.aborted || isFailure(error, 'ENGINE_TIMEOUT')) await end()
    throw error
  }
}

/** Adds a description of what could not be ended to the error of the caller that ended the call. */
function noteLeft(left: string | undefined, reason: unknown): void {
  if (left !== undefined && isFailure(reason)) reason.leftovers ??= left
}
