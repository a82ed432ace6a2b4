import { type CommandRequest, findCommand } from '../command-in-session.ts'
import type { Host } from '../model/host.ts'
import type { AttachRequest } from '../why/attach-logs.ts'
import { checkCommand } from './check-options.ts'
import type { CommandOptions } from './types/run.ts'

/** Fails with USAGE when there is no such program, before anything is touched. */
export async function describeCommand(
  command: readonly string[],
  { names = 'auto', trust = true, environment = {}, attachLogs, caller }: CommandOptions,
  host: Host,
): Promise<CommandRequest> {
  checkCommand(command)
  const attach = attachLogs === undefined ? undefined : await describeAttach(attachLogs, host)
  return {
    ...(await findCommand(command, host)),
    ...{ names, trust, variables: environment },
    descriptors: caller?.descriptors ?? [],
    ignored: caller?.ignored ?? [],
    forwarded: caller?.forwarded ?? [],
    streams: caller?.streams,
    onStart: caller?.onStart ?? (() => {}),
    isBundleWanted: caller?.isBundleWanted ?? (() => true),
    ...(attach && { attach }),
  }
}

/** Loaded on demand: few commands have logs attached. */
async function describeAttach(named: string, host: Host): Promise<AttachRequest> {
  const [{ checkAttachFolder }, { mapServerChange }] = await Promise.all([
    import('../why/attach-folder.ts'),
    import('./map-event.ts'),
  ])
  return {
    folder: await checkAttachFolder(named, host),
    toEvent: (change) => ({ time: new Date(change.atMs).toISOString(), ...mapServerChange(change) }),
  }
}
