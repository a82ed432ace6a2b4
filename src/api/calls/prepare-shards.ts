import { bakeImages } from '../../bake-images.ts'
import { formatSize } from '../../formats/size.ts'
import { buildImages } from '../../images.ts'
import { TestfleetError } from '../../model/failures.ts'
import type { Fleet, Server } from '../../model/fleet.ts'
import { findCopyConflict } from '../../model/side-by-side.ts'
import { say } from '../../model/surface.ts'
import { selectServers } from '../../plan/reconcile.ts'
import { type CallSettings, hostOf, loadSource, withTools } from '../call.ts'
import { BRING_UP_TIMEOUT_MS, readTimeout, withTimeout } from '../timeout.ts'
import type { Source } from '../types/options.ts'
import type { ShardsOptions } from '../types/shards.ts'

/**
 * Refuses a fleet that cannot run that many times at once, and builds and bakes the images that its sessions share, so that
 * each is made once.
 */
export async function prepareShards(client: CallSettings, source: Source, options: ShardsOptions): Promise<void> {
  const { servers: names = [], shards, bind } = options
  const fleet = await loadSource(source, names, hostOf(client))
  const servers = selectServers(fleet, names)
  refuseSharedParts(fleet, servers, { shards, bind })
  const timeoutMs = readTimeout(options.timeoutMs, BRING_UP_TIMEOUT_MS)
  await withTools(client, options, (tools) =>
    withTimeout(timeoutMs, tools, async (limited) => {
      const { memoryBytes } = await limited.engine.info({ signal: limited.signal })
      const warning = describeMemory(servers, shards, memoryBytes)
      if (warning !== undefined) limited.onEvent({ kind: 'warned', message: warning })
      await buildImages(fleet, names, limited)
      await bakeImages(fleet, names, limited)
    }),
  )
}

/** Fails with USAGE. A port of this machine can be taken once, and two fleets must not write to one folder. */
export function refuseSharedParts(
  { source }: Pick<Fleet, 'source'>,
  servers: readonly Server[],
  { shards, bind }: Pick<ShardsOptions, 'shards' | 'bind'>,
): void {
  const conflict = shards > 1 ? findCopyConflict(servers, 'shards', bind) : undefined
  if (conflict === undefined) return
  const { server, why, path, hint } = conflict
  throw new TestfleetError('USAGE', `${shards} shards cannot run at once: ${server}: ${why}`, {
    server,
    ...(bind === 'fixed' ? { hint: `Leave out ${say('bindFixed')}.` } : { at: source.locate(path), hint }),
  })
}

/** Returns a warning if the limits of the servers allow more memory than the engine has; undefined if not. */
export function describeMemory(
  servers: readonly Pick<Server, 'limits'>[],
  shards: number,
  engineBytes: number,
): string | undefined {
  const neededBytes = shards * servers.reduce((sum, { limits }) => sum + (limits.memoryBytes ?? 0), 0)
  if (engineBytes <= 0 || neededBytes <= engineBytes) return undefined
  const [needed, has] = [neededBytes, engineBytes].map(roundSize)
  const most = Math.max(1, Math.floor((engineBytes * shards) / neededBytes))
  return `the servers of ${shards} shards may use ${needed} of memory, and the engine has ${has}: ${most} ${most === 1 ? 'fits' : 'fit'}`
}

const MIB = 1024 ** 2

function roundSize(bytes: number): string {
  return formatSize(Math.round(bytes / MIB) * MIB)
}
