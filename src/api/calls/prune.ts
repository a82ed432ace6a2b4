import { prune } from '../../prune.ts'
import { type CallSettings, withTools } from '../call.ts'
import type { Pruned, PruneOptions } from '../types/prune.ts'

export function pruneEngine(client: CallSettings, options: PruneOptions): Promise<Pruned> {
  const request = {
    all: options.all === true,
    olderThanMs: options.olderThanMs,
    isDryRun: options.dryRun === true,
    keptImages: options.keepImages,
  }
  // It cleans up dead sessions itself, or only reports them.
  return withTools(client, options, (tools) => prune(request, tools), { isSwept: false, isQuiet: true })
}
