import { TestfleetError } from '../model/failures.ts'
import { type Pruned, type PrunedSession, prune } from '../prune.ts'
import { answer, countThings } from './answer.ts'
import { type Call, durationOption, flag, numberOption, withTools } from './call.ts'

export async function run(call: Call): Promise<number> {
  const isDryRun = flag(call, 'dry-run')
  const keep = numberOption(call, 'keep')
  if (keep !== undefined && !flag(call, 'images')) {
    throw new TestfleetError('USAGE', '--keep says how many images stay, so it goes with --images')
  }
  const request = {
    all: flag(call, 'all'),
    olderThanMs: durationOption(call, 'older-than'),
    isDryRun,
    keptImages: flag(call, 'images') ? (keep ?? 1) : undefined,
  }
  // It sees to the dead itself, or only tells of them.
  const pruned = await withTools(call, (tools) => prune(request, tools), { isSwept: false })
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
