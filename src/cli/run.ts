import type { KeptSession } from '../api/types/run.ts'
import { isFailure } from '../model/failures.ts'
import { bindOption, type Call, clientOf, flag, textOption, timelineOption, timeoutOption } from './call.ts'
import { markFailedStart, readCommandOptions, tellResult } from './run-command.ts'

export async function run(call: Call): Promise<number> {
  if (call.options.shards === undefined) {
    const warning = describeLostPlace(call.command)
    if (warning !== undefined && !call.quiet)
      call.output.tell(`${call.output.palette.style('yellow', 'warning:')} ${warning}\n`)
    return runOnce(call)
  }
  const { runShards } = await import('./run-shards.ts')
  return runShards(call, runOnce)
}

/** What is wrong with a command that asks for the number of a shard although there are no shards. */
export function describeLostPlace(command: readonly string[]): string | undefined {
  const [place] = command.flatMap((word) => word.match(/(?<!\$)\{shards?\}/) ?? [])
  return place === undefined ? undefined : `the command gets ${place} as it is: add --shards N to replace it`
}

async function runOnce(call: Call): Promise<number> {
  let shown: unknown
  const show = async (kept: KeptSession): Promise<void> => {
    shown = kept.error
    const { lookAround } = await import('./look-around.ts')
    await lookAround(kept, call)
  }
  const options = {
    ...readCommandOptions(call, flag(call, 'debug') ? show : undefined),
    servers: [call.options.server ?? []].flat().map(String),
    session: call.session,
    bind: bindOption(call),
    standby: call.options.standby === false ? (false as const) : undefined,
    keep: flag(call, 'keep'),
    timeoutMs: timeoutOption(call),
    bundle: textOption(call, 'bundle'),
    timeline: timelineOption(call),
  }
  try {
    return await tellResult(await clientOf(call).run(call.file, call.command, options), call)
  } catch (error) {
    if (options.attachLogs !== undefined) await markFailedStart(error, call)
    const isToldAlready = isFailure(error) && error === shown && error.leftovers === undefined && !call.json
    if (!isToldAlready) throw error
    return error.exitCode
  }
}
