import type { ExecProcess } from '../../engine/engine.ts'
import { execInServer } from '../../exec.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import type { ProcessOutput, ServerProcess, SpawnOptions } from '../types/exec.ts'

/** Exit code of a program that SIGTERM has ended. */
const KILLED_EXIT_CODE = 143

/** Starts a command in a server. */
export async function spawnInServer(
  session: StoredRecord,
  server: string,
  command: readonly string[],
  { environment, user, workingDir }: SpawnOptions,
  tools: Tools,
): Promise<ServerProcess> {
  const killed = new AbortController()
  const request = {
    command,
    stdin: true,
    ...(environment === undefined ? {} : { environment }),
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
  }
  const signal = AbortSignal.any([tools.signal, killed.signal])
  return openProcess(await execInServer(session, server, request, { ...tools, signal }), killed)
}

export function openProcess(running: ExecProcess, killed: AbortController): ServerProcess {
  let ended: Promise<number> | undefined
  const awaitEnd = (): Promise<number> => {
    ended ??= running.exitCode().catch((error: unknown) => {
      if (killed.signal.aborted) return KILLED_EXIT_CODE
      throw error
    })
    return ended
  }
  const kill = async (): Promise<void> => {
    killed.abort()
    await awaitEnd().catch(() => {})
  }
  return {
    output: readOutput(running, killed.signal),
    get exitCode() {
      return awaitEnd()
    },
    write: (data) => running.write(typeof data === 'string' ? Buffer.from(data) : data),
    end: () => running.endInput(),
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

async function* readOutput(running: ExecProcess, killed: AbortSignal): AsyncGenerator<ProcessOutput, void, void> {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  try {
    for await (const { stream, bytes } of running.output)
      yield { stream, bytes, text: decoders[stream].decode(bytes, { stream: true }) }
  } catch (error) {
    if (!killed.aborted) throw error
  }
}
