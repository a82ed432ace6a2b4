import { answerHeld } from './answer.ts'
import { type Call, clientOf, numberOption, sessionOptions } from './call.ts'

export async function run(call: Call): Promise<number> {
  const pid = numberOption(call, 'pid') ?? call.host.parentProcessId
  const released = await clientOf(call).release(pid, sessionOptions(call))
  const { held, stays } = released
  const others = held === 1 ? 'another' : `${held} others`
  const text =
    held === 0 ? `nobody holds it any more; it ${stays ? 'stays until it is taken down' : 'goes'}` : `held by ${others}`
  return answerHeld(call, released, text)
}
