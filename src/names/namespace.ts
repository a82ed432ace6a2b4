import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { wordFileError } from '../formats/word-error.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { type BoundFile, writeBoundFiles } from './bound-files.ts'
import { findProgram } from './find-program.ts'
import type { HostsEntry } from './hosts-file.ts'
import { explainRefusal, type Ground, type Obstacle } from './obstacle.ts'
import type { Program } from './run-program.ts'

/** Where programs see the fleet's names in /etc/hosts, and all else as everywhere. The machine's own file stays as it is. */
export interface Namespace {
  /**
   * The program as it has to be started to be in it: the process that is started becomes it, with the rights of its caller.
   * `foundAs` is what it is called, and found by.
   */
  inside(program: Program, foundAs: string): Program
  /** Programs that are in it stay in it. */
  close(): void
}

/** How long one of the small programs may take that make it. */
const STEP_MS = 5000

/** util-linux has all of them but `cat`. */
const toolNames = ['unshare', 'nsenter', 'setpriv', 'mount', 'cat'] as const
type Tools = Readonly<Record<(typeof toolNames)[number], string>>

/** Makes one. Where the system does not let us, that is the answer, and nothing is left of the try. */
export async function openNamespace(
  entries: readonly HostsEntry[],
  ground: Ground,
  host: Host,
  signal: AbortSignal,
): Promise<Namespace | Obstacle> {
  let keeper: ChildProcess | undefined
  try {
    const tools = await findTools(host)
    keeper = await startKeeper(tools, ground, host, signal)
    // What is bound stays when its file is gone.
    await using bound = await writeBoundFiles(entries, host)
    for (const file of bound.files) await bind(file, keeper, tools, ground, signal)
    return toNamespace(keeper, tools, ground, host)
  } catch (error) {
    keeper?.kill('SIGKILL')
    signal.throwIfAborted()
    if (error instanceof Refusal) return { obstacle: await explainRefusal(error.message, ground) }
    if (isFailure(error)) return { obstacle: error.message }
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return { obstacle: `/etc/hosts cannot be copied: ${wordFileError(error)}` }
  }
}

/** The system's own words. */
class Refusal extends Error {}

async function findTools(host: Host): Promise<Tools> {
  const paths = await Promise.all(toolNames.map(async (name) => [name, await findProgram(name, host)] as const))
  return Object.fromEntries(paths) as Tools
}

/** A process that has the namespace until it is joined. It ends with its input: when we close it, or have ended. */
async function startKeeper(tools: Tools, { kind }: Ground, host: Host, signal: AbortSignal): Promise<ChildProcess> {
  const user = kind === 'user' ? ['--user', '--map-root-user'] : []
  // What is mounted later outside is seen inside; what is mounted inside stays there.
  const options = [...user, '--mount', '--propagation', 'slave', '--', tools.cat]
  const keeper = startTool(tools.unshare, options, host.workingFolder)
  keeper.stdin?.on('error', () => {}).write('\n')
  // What comes back has been through all that stands before `cat`.
  await settle(keeper, [once(keeper.stdout as NodeJS.EventEmitter, 'data')], signal)
  return keeper
}

async function bind(
  { from, to }: BoundFile,
  keeper: ChildProcess,
  tools: Tools,
  { kind }: Ground,
  signal: AbortSignal,
): Promise<void> {
  const mount = startTool(tools.nsenter, [...joinOptions(keeper, kind), '--', tools.mount, '--bind', from, to])
  mount.stdin?.end()
  await settle(mount, [], signal)
}

/** In a group of its own: what interrupts us at a terminal is for the command. */
function startTool(path: string, words: readonly string[], cwd?: string): ChildProcess {
  return spawn(path, words, { stdio: 'pipe', detached: true, env: { LC_ALL: 'C' }, cwd })
}

/** Resolves when it ends well, or with one of the others; rejects with its words when it ends badly. */
async function settle(child: ChildProcess, others: readonly Promise<unknown>[], signal: AbortSignal): Promise<void> {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(STEP_MS)])
  const ended = once(child, 'close', { signal: limit }).then(([code]) => {
    if (code !== 0) throw new Refusal(words.trim().split('\n')[0] || `${child.spawnfile} ended with ${code}`)
  })
  try {
    await Promise.race([ended, ...others])
  } catch (error) {
    child.kill('SIGKILL')
    throw limit.aborted ? new Refusal(`${child.spawnfile} did not end within ${STEP_MS} ms`) : error
  } finally {
    ended.catch(() => {})
  }
}

function joinOptions({ pid }: ChildProcess, kind: Ground['kind']): string[] {
  return [`--target=${pid}`, '--mount', ...(kind === 'user' ? ['--user', '--preserve-credentials'] : [])]
}

function toNamespace(keeper: ChildProcess, tools: Tools, { kind, missing }: Ground, host: Host): Namespace {
  // Who joins a file system starts at its root, in both senses.
  const join = [...joinOptions(keeper, kind), ...(kind === 'root' ? ['--root'] : []), '--wd', '--']
  const becomeUser = [
    tools.unshare,
    '--user',
    ...mapSelf(host),
    '--keep-caps',
    '--',
    tools.setpriv,
    ...dropAll(missing),
  ]
  return {
    inside: ({ words }, foundAs) => ({
      path: tools.nsenter,
      argv0: tools.nsenter,
      words: [...join, ...(kind === 'user' ? [...becomeUser, '--'] : []), foundAs, ...words],
    }),
    close: () => void keeper.stdin?.end(),
  }
}

/** Who made the namespace is root in it; in one more of its own, the command is who it was. */
function mapSelf({ userId, groupId }: Host): string[] {
  return [`--map-user=${userId}`, `--map-group=${groupId}`]
}

/** A new user namespace begins with all capabilities in it: none is left, nor any that the caller could never get. */
function dropAll(missing: readonly number[]): string[] {
  const bounds = missing.map((number) => `-cap_${number}`).join(',')
  return ['--inh-caps=-all', '--ambient-caps=-all', ...(bounds === '' ? [] : [`--bounding-set=${bounds}`])]
}
