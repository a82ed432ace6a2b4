import type { Pruned, PrunedSession } from '../api/types/prune.ts'
import { TestfleetError } from '../model/failures.ts'
import { answer, countThings } from './answer.ts'
import { type Call, clientOf, durationOption, flag, numberOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const isDryRun = flag(call, 'dry-run')
  const keep = numberOption(call, 'keep')
  if (keep !== undefined && !flag(call, 'images')) {
    throw new TestfleetError('USAGE', '--keep says how many images stay, so it goes with --images')
  }
  const pruned = await clientOf(call).prune({
    all: flag(call, 'all'),
    olderThanMs: durationOption(call, 'older-than'),
    dryRun: isDryRun,
    keepImages: flag(call, 'images') ? (keep ?? 1) : undefined,
    signal: call.signal,
  })
  return answer(call, pruned, formatPruned(pruned, isDryRun))
}

function formatPruned({ removed, kept, images }: Pruned, isDryRun: boolean): string {
  if (removed.length + kept.length + images.length === 0) return 'there are no sessions on this engine\n'
  const verb = isDryRun ? 'would remove' : 'removed'
  const lines = [
    ...removed.map((session) => formatSession(verb, session)),
    ...kept.map((session) => formatSession('kept', session)),
    ...images.map((image) => `${verb} image ${image}`),
  ]
  return `${lines.join('\n')}\n`
}

function formatSession(verb: string, { session, because, servers, networks, volumes }: PrunedSession): string {
  return `${verb} session ${session} (${countThings(servers, networks, volumes) || 'nothing'}): ${because}`
}
