import { type CommandRequest, findCommand } from '../command-in-session.ts'
import type { Host } from '../model/host.ts'
import { checkCommand } from './check-options.ts'
import type { CommandOptions } from './types/run.ts'

/** Fails with USAGE when there is no such program, before anything is touched. */
export async function describeCommand(
  command: readonly string[],
  { names = 'auto', trust = true, environment = {}, caller }: CommandOptions,
  host: Host,
): Promise<CommandRequest> {
  checkCommand(command)
  return {
    ...(await findCommand(command, host)),
    ...{ names, trust, variables: environment },
    descriptors: caller?.descriptors ?? [],
    ignored: caller?.ignored ?? [],
    forwarded: caller?.forwarded ?? [],
    onStart: caller?.onStart ?? (() => {}),
    isBundleWanted: caller?.isBundleWanted ?? (() => true),
  }
}
