import { answer, formatRemoved } from './answer.ts'
import { type Call, clientOf, flag, sessionOptions } from './call.ts'

export async function run(call: Call): Promise<number> {
  const removed = await clientOf(call).remove(call.servers, { ...sessionOptions(call), force: flag(call, 'force') })
  return answer(call, removed, formatRemoved(removed))
}
