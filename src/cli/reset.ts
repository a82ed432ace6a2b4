import { type Call, clientOf } from './call.ts'
import { answerState, stateOptions } from './state.ts'

export async function run(call: Call): Promise<number> {
  const [server = ''] = call.servers
  return answerState(call, await clientOf(call).reset(server, stateOptions(call)))
}
