import { type Pruned, type PrunedSession, prune } from '../prune.ts'
import { answer, countThings } from './answer.ts'
import { type Call, durationOption, flag, withTools } from './call.ts'

export async function run(call: Call): Promise<number> {
  const isDryRun = flag(call, 'dry-run')
  const request = { all: flag(call, 'all'), olderThanMs: durationOption(call, 'older-than'), isDryRun }
  // It sees to the dead itself, or only tells of them.
  const pruned = await withTools(call, (tools) => prune(request, tools), { isSwept: false })
  return answer(call, pruned, formatPruned(pruned, isDryRun))
}

function formatPruned({ removed, kept }: Pruned, isDryRun: boolean): string {
  if (removed.length + kept.length === 0) return 'there are no sessions on this engine\n'
  const verb = isDryRun ? 'would remove' : 'removed'
  const lines = [
    ...removed.map((session) => formatSession(verb, session)),
    ...kept.map((session) => formatSession('kept', session)),
  ]
  return `${lines.join('\n')}\n`
}

function formatSession(verb: string, { session, because, servers, networks, volumes }: PrunedSession): string {
  return `${verb} session ${session} (${countThings(servers, networks, volumes) || 'nothing'}): ${because}`
}
