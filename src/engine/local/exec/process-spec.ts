import { readFile } from 'node:fs/promises'
import type { ExecRequest } from '../../engine.ts'
import { containerPath } from '../containers/life.ts'
import { findUser } from '../files/users.ts'
import type { ContainerRecord, Local } from '../types.ts'

/** The part of config.json that describes a process. */
interface OciProcess {
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[] }
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities?: { readonly bounding?: readonly string[] }
}

/** A limit of the kernel that a number of JavaScript cannot hold. */
const [NO_LIMIT, NO_LIMIT_MARK] = ['18446744073709551615', '"testfleet:no-limit"']

/**
 * Returns the text of a process file for the OCI runtime: a command with the rights, the limits and the variables of its
 * container. `root` is the path of the container's root. ENGINE_REFUSED for an unknown user.
 */
export async function processSpec(
  local: Local,
  { id, spec }: ContainerRecord,
  request: ExecRequest,
  root: string,
): Promise<string> {
  const config = await readFile(containerPath(local, id, 'config.json'), 'utf8')
  const { process } = JSON.parse(config.replaceAll(NO_LIMIT, NO_LIMIT_MARK)) as { process: OciProcess }
  const user = request.user === undefined ? undefined : await findUser(root, request.user)
  const isOther = user !== undefined && user.uid !== process.user.uid
  const environment = {
    ...variablesIn(process.env),
    ...(isOther && spec.environment.HOME === undefined && { HOME: user.home }),
    ...(request.tty !== undefined && { TERM: 'xterm' }),
    ...request.environment,
  }
  const bounding = process.capabilities?.bounding ?? []
  const result = {
    ...process,
    terminal: request.tty !== undefined,
    args: request.command,
    env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    cwd: request.workingDir ?? process.cwd,
    ...(user !== undefined && {
      user: { uid: user.uid, gid: user.gid, additionalGids: user.groups },
      // As with Docker, only root has them at once.
      capabilities: { bounding, ...(user.uid === 0 && { effective: bounding, permitted: bounding }) },
    }),
  }
  return JSON.stringify(result).replaceAll(NO_LIMIT_MARK, NO_LIMIT)
}

function variablesIn(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((text) => {
      const at = text.indexOf('=')
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
