import { releaseProcess } from '../sessions/hold.ts'
import { answerHeld } from './answer.ts'
import { type Call, numberOption, withSession } from './call.ts'

export async function run(call: Call): Promise<number> {
  const pid = numberOption(call, 'pid') ?? call.host.parentProcessId
  return withSession(call, async (record, tools) => {
    const held = await releaseProcess(record, pid, tools)
    const others = held === 1 ? 'another' : `${held} others`
    const text =
      held === 0
        ? `nobody holds it any more; it ${record.lifetime.kind === 'held' ? 'goes' : 'stays until it is taken down'}`
        : `held by ${others}`
    return answerHeld(call, record.name, pid, held, text)
  })
}
