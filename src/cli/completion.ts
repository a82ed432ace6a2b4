import { writeJson } from './answer.ts'
import type { Call } from './call.ts'
import { type Shell, scripts } from './completion/scripts.ts'
import { formatCompleted, joinBrokenWords } from './completion/shell-words.ts'

export async function run(call: Call): Promise<number> {
  const shell = call.servers[0] as Shell
  if (call.command.length === 0) {
    if (call.json) writeJson(call, { shell, script: scripts[shell] })
    else call.output.writeData(scripts[shell])
    return 0
  }
  const [{ complete }, { openLookups }] = await Promise.all([
    import('./completion/complete.ts'),
    import('../api/calls/lookups.ts'),
  ])
  const words = shell === 'bash' ? joinBrokenWords(call.command) : call.command
  const completed = await complete(words, openLookups(call.host, call.signal))
  if (call.json) writeJson(call, completed)
  else call.output.writeData(formatCompleted(completed))
  return 0
}
