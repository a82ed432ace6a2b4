import { TestfleetError } from '../model/failures.ts'
import { answer, formatTable } from './answer.ts'
import { type Call, clientOf, flag, sessionOptions } from './call.ts'
import { answerState, stateOptions } from './state.ts'

/** Takes or removes a snapshot; without a name, lists those of the server. */
export async function run(call: Call): Promise<number> {
  const [server = '', name] = call.servers
  const client = clientOf(call)
  if (name === undefined) {
    if (flag(call, 'remove')) throw new TestfleetError('USAGE', 'the name of the snapshot to remove is missing')
    return list(call, server)
  }
  if (!flag(call, 'remove')) return answerState(call, await client.snapshot(server, name, stateOptions(call)))
  await client.removeSnapshot(server, name, sessionOptions(call))
  return answer(call, { removed: name }, `${server}: snapshot ${name} removed\n`)
}

async function list(call: Call, server: string): Promise<number> {
  const snapshots = await clientOf(call).snapshots(server, sessionOptions(call))
  const rows = snapshots.map(({ name, createdAt }) => [name, createdAt.toISOString()])
  return answer(call, { server, snapshots }, rows.length === 0 ? `${server} has no snapshots\n` : formatTable(rows))
}
