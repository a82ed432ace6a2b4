import { type Call, clientOf } from './call.ts'
import { answerState, stateOptions } from './state.ts'

export async function run(call: Call): Promise<number> {
  const [server = '', name = ''] = call.servers
  return answerState(call, await clientOf(call).restore(server, name, stateOptions(call)))
}
