import { execInServer } from '../../exec.ts'
import { collectOutput } from '../../report/collect-output.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { type CallSettings, withSession } from '../call.ts'
import { checkCommand } from '../check-options.ts'
import type { ExecOptions, ExecResult } from '../types/exec.ts'
import type { SessionOptions } from '../types/options.ts'

export function exec(
  client: CallSettings,
  server: string,
  command: readonly string[],
  options: ExecOptions & SessionOptions,
): Promise<ExecResult> {
  checkCommand(command)
  return withSession(client, options, (session, tools) => execCollected(session, server, command, options, tools))
}

/** Runs a command in a server, and collects its output. */
export async function execCollected(
  session: StoredRecord,
  server: string,
  command: readonly string[],
  { environment, user, workingDir, input }: ExecOptions,
  tools: Tools,
): Promise<ExecResult> {
  const request = {
    command,
    stdin: input !== undefined,
    ...(environment === undefined ? {} : { environment }),
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
  }
  const running = await execInServer(session, server, request, tools)
  if (input !== undefined) {
    void running.write(typeof input === 'string' ? Buffer.from(input) : input)
    running.endInput()
  }
  return collectOutput(running)
}
