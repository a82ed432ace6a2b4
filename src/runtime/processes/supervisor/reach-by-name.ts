import type { ProgramNames } from '../../../model/container.ts'
import { giveNames } from '../../../names/names.ts'

/** A path and arguments. */
export interface RunProgram {
  readonly path: string
  readonly words: readonly string[]
}

/** How a program is started. */
export interface View {
  readonly program: RunProgram
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Must be called once the program has ended. */
  close(): void
}

/**
 * Returns how to start a program that reaches servers by their names, as a command under `run` does. The started process
 * becomes the program. Where only some programs can know the names, or none, the log says why. Rejects with the reason of
 * the signal.
 */
export async function reachByName(
  program: RunProgram,
  { domain, servers, nodeHookFile, groupId }: ProgramNames,
  place: Omit<Parameters<typeof giveNames>[1]['host'], 'nodeHookFile' | 'groupId' | 'platform'>,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<View> {
  const { environment } = place
  const PATH = [environment.PATH, SYSTEM_PATH].filter(Boolean).join(':')
  const host = { ...place, environment: { PATH }, nodeHookFile, groupId, platform: 'linux' } as const
  const request = { wanted: 'auto', domain, servers, environment } as const
  try {
    const given = await giveNames(request, {
      host,
      signal,
      onEvent: (event) => event.kind === 'warned' && say(event.message),
    })
    const inside = given.inside({ ...program, argv0: program.path }, program.path)
    return { program: inside, environment: given.environment, close: given.close }
  } catch (error) {
    signal.throwIfAborted()
    say(`the program does not know the servers by their names: ${(error as Error).message}`)
    return { program, environment, close() {} }
  }
}

/** Where the programs are that open a namespace, also for a program with another PATH. */
const SYSTEM_PATH = '/usr/bin:/bin'
