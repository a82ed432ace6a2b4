import { chmod, copyFile, cp, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type CommandOptions, type CommandResult, mainFile, startTestfleet, withEngine } from './command.ts'

/** A user with no right beyond his own files and the engine's socket. */
export interface OrdinaryUser {
  readonly userId: number
  readonly groupId: number
  /** Goes before a program that this user runs; empty when the tests run as an ordinary user. */
  readonly prefix: readonly string[]
  /** A Node that this user can run. */
  readonly node: string
  /** The command as this user calls it. */
  readonly command: readonly string[]
}

/** Every Debian has this user, who owns nothing there. */
const WWW_DATA = 33

const isRoot = process.getuid?.() === 0

/** Root becomes another user; any other user is ordinary enough. */
export async function findOrdinaryUser(): Promise<OrdinaryUser> {
  const command = await findReadableCommand()
  const [node] = command
  if (!isRoot) {
    const [userId = 0, groupId = 0] = [process.getuid?.(), process.getgid?.()]
    return { userId, groupId, prefix: [], node, command }
  }
  const socket = await withEngine(async ({ location }) => new URL(location.url).pathname)
  const { gid } = await stat(socket)
  const ids = [`--reuid=${WWW_DATA}`, `--regid=${WWW_DATA}`, `--groups=${gid}`]
  return {
    userId: WWW_DATA,
    groupId: WWW_DATA,
    prefix: ['setpriv', ...ids, '--inh-caps=-all', '--'],
    node,
    command,
  }
}

/** Runs the command without root's right to ignore the modes of files. Any other user has no such right. */
export async function runWithoutOverride(
  words: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const prefix = isRoot ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--'] : []
  const call = [...prefix, ...(await findReadableCommand()), ...words]
  return startTestfleet([], { ...options, prefix: call, isBare: true }).result
}

type Command = readonly [node: string, main: string]
let readable: Promise<Command> | undefined

/** Only root can become somebody who cannot read the clone. */
function findReadableCommand(): Promise<Command> {
  readable ??= isRoot ? copyCommand() : Promise.resolve([process.execPath, mainFile])
  return readable
}

const copies: string[] = []

/** Removes the copy, at the end of each file: the next file can run in the same process, and makes its own. */
export async function removeReadableCommand(): Promise<void> {
  readable = undefined
  for (const folder of copies.splice(0)) await rm(folder, { recursive: true, force: true })
}

/** A clone in root's home, for example, is closed to every other user. */
async function copyCommand(): Promise<Command> {
  if (mainFile.endsWith('.ts')) throw new Error('dist is missing or older than its source: run `npm run build` first')
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-readable-'))
  copies.push(folder)
  await chmod(folder, 0o755)
  await cp(dirname(dirname(mainFile)), join(folder, 'dist'), { recursive: true })
  await copyFile(process.execPath, join(folder, 'node'))
  return [join(folder, 'node'), join(folder, 'dist/cli', basename(mainFile))]
}
