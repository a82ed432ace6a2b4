import { currentHost } from '../../current-host.ts'
import type { CallSettings } from '../call.ts'
import { describeCommand } from '../describe-command.ts'
import type { Source } from '../types/options.ts'
import type { RunOptions, RunResult } from '../types/run.ts'
import { runOnStandby } from './run-on-standby.ts'

/** Runs a command with a session of its own: a standby copy if there is one, else one that is started. */
export async function run(
  client: CallSettings,
  source: Source,
  command: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const host = currentHost(client.folder)
  const request = await describeCommand(command, options, host)
  const result = await runOnStandby(client, source, request, options, host)
  if (result !== undefined) return result
  // Loads what starts a fleet only when one is started.
  const { runStarted } = await import('./run-started.ts')
  return runStarted(client, source, request, options)
}
