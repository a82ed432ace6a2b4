import { execFileSync } from 'node:child_process'
import { chmod, cp, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { mainFile, makeFleetFolder, withEngine } from './command.ts'

/** Who has no right beyond his own files and the engine's socket. */
export interface OrdinaryUser {
  readonly userId: number
  readonly groupId: number
  /** In front of a program that he shall run; empty where the tests are his. */
  readonly prefix: readonly string[]
  /** The command, where he can read it. */
  readonly command: readonly string[]
}

/** Every Debian has this user, who owns nothing there. */
const WWW_DATA = 33

/** Root becomes somebody else; anybody else is ordinary enough. */
export async function findOrdinaryUser(): Promise<OrdinaryUser> {
  const [userId = 0, groupId = 0] = [process.getuid?.(), process.getgid?.()]
  if (userId !== 0) return { userId, groupId, prefix: [], command: [process.execPath, mainFile] }
  const socket = await withEngine(async ({ location }) => new URL(location.url).pathname)
  const { gid } = await stat(socket)
  const ids = [`--reuid=${WWW_DATA}`, `--regid=${WWW_DATA}`, `--groups=${gid}`]
  const prefix = ['setpriv', ...ids, '--inh-caps=-all', '--']
  return { userId: WWW_DATA, groupId: WWW_DATA, prefix, command: await findReadable(prefix) }
}

/** A clone below /root is root's alone. */
async function findReadable(prefix: readonly string[]): Promise<readonly string[]> {
  const [program = '', ...words] = [...prefix, process.execPath, mainFile, 'version']
  try {
    execFileSync(program, words, { stdio: 'ignore' })
    return [process.execPath, mainFile]
  } catch {
    const folder = await makeFleetFolder({})
    await chmod(folder, 0o755)
    await cp(dirname(dirname(mainFile)), join(folder, 'dist'), { recursive: true })
    await cp(process.execPath, join(folder, 'node'))
    return [join(folder, 'node'), join(folder, 'dist/cli/testfleet.cjs')]
  }
}
