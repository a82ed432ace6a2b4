import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wordFileError } from '../formats/word-error.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { listBoundFiles, VIEW_SOURCE } from './bound-files.ts'
import { explainRefusal, type MountRights, type Obstacle } from './mount-rights.ts'
import { findProgram, type Program } from './run-program.ts'

/** A view of the file system in which /etc/hosts has the fleet's names. The machine's own file stays as it is. */
export interface Namespace {
  /**
   * Returns the program that has to be started so that `program` runs in this view, with the rights of its caller. The
   * started process becomes `program`. `foundAs` is the name by which it is found.
   */
  inside(program: Program, foundAs: string): Program
  /** Programs that run in it are not affected. */
  close(): void
}

/** How long each of the programs may take that make a namespace. */
const STEP_MS = 5000

/** util-linux has all of them but `cat`. */
const utilityNames = ['unshare', 'nsenter', 'setpriv', 'mount', 'cat'] as const
type Utilities = Readonly<Record<(typeof utilityNames)[number], string>>

/** What the steps that make a namespace are done with. */
interface Means {
  readonly utilities: Utilities
  readonly rights: MountRights
  readonly host: Host
  readonly signal: AbortSignal
}

/** Makes a namespace with this /etc/hosts, or says why the system refuses one. A failed try leaves nothing behind. */
export async function openNamespace(
  hosts: string,
  rights: MountRights,
  host: Host,
  signal: AbortSignal,
): Promise<Namespace | Obstacle> {
  let anchor: ChildProcess | undefined
  try {
    const means = { utilities: await findUtilities(host), rights, host, signal }
    anchor = await startAnchor(means)
    await showFiles(hosts, anchor, means)
    return toNamespace(anchor, means)
  } catch (error) {
    anchor?.kill('SIGKILL')
    signal.throwIfAborted()
    if (error instanceof Refusal) return { obstacle: await explainRefusal(error.message, rights) }
    if (isFailure(error)) return { obstacle: error.message }
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return { obstacle: `/etc/hosts cannot be copied: ${wordFileError(error)}` }
  }
}

/** Has the system's own words. */
class Refusal extends Error {}

async function findUtilities(host: Host): Promise<Utilities> {
  const paths = await Promise.all(utilityNames.map(async (name) => [name, await findProgram(name, host)] as const))
  return Object.fromEntries(paths) as Utilities
}

/** Starts a process that keeps the namespace alive until it is joined. It ends with its input: when we close it or end. */
async function startAnchor({ utilities, rights, host, signal }: Means): Promise<ChildProcess> {
  const user = rights.kind === 'user' ? ['--user', '--map-root-user'] : []
  // What is mounted later outside is seen inside; what is mounted inside stays there.
  const options = [...user, '--mount', '--propagation', 'slave', '--', utilities.cat]
  const anchor = startUtility(utilities.unshare, options, host.workingFolder)
  anchor.stdin?.on('error', () => {}).write('\n')
  // The line comes back once everything before `cat` has been done.
  await waitForEnd(anchor, [once(anchor.stdout as NodeJS.EventEmitter, 'data')], signal)
  return anchor
}

/**
 * Binds the files that the command sees. They are in a file system in memory that only the namespace has: over a file that
 * has been removed, a call of testfleet inside could mount nothing. It stays when the folder that it is mounted on is gone.
 */
async function showFiles(hosts: string, anchor: ChildProcess, means: Means): Promise<void> {
  const folder = await mkdtemp(join(means.host.temporaryFolder, 'testfleet-names-'))
  try {
    await mountInside(['-t', 'tmpfs', '-o', 'mode=755', VIEW_SOURCE, folder], anchor, means)
    for (const { name, content, to } of await listBoundFiles(hosts)) {
      const from = join(folder, name)
      await writeFile(`/proc/${anchor.pid}/root${from}`, content, { mode: 0o644, flag: 'wx' })
      await mountInside(['--bind', from, to], anchor, means)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function mountInside(words: readonly string[], anchor: ChildProcess, means: Means): Promise<void> {
  const { utilities, rights, signal } = means
  const mount = startUtility(utilities.nsenter, [...joinOptions(anchor, rights.kind), '--', utilities.mount, ...words])
  mount.stdin?.end()
  await waitForEnd(mount, [], signal)
}

/** In its own process group: an interrupt at the terminal is for the command. */
function startUtility(path: string, words: readonly string[], cwd?: string): ChildProcess {
  return spawn(path, words, { stdio: 'pipe', detached: true, env: { LC_ALL: 'C' }, cwd })
}

/** Only the first line is shown. */
const MAX_WORDS_LENGTH = 2000

/** Resolves when the program exits with 0, or with one of `others`; rejects with its first line when it fails. */
async function waitForEnd(
  child: ChildProcess,
  others: readonly Promise<unknown>[],
  signal: AbortSignal,
): Promise<void> {
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(0, MAX_WORDS_LENGTH)
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

function joinOptions({ pid }: ChildProcess, kind: MountRights['kind']): string[] {
  return [`--target=${pid}`, '--mount', ...(kind === 'user' ? ['--user', '--preserve-credentials'] : [])]
}

function toNamespace(anchor: ChildProcess, { utilities, rights: { kind, missing }, host }: Means): Namespace {
  // Joining a mount namespace leads to its top folder: takes the anchor's root and working folder instead.
  const entering = [...joinOptions(anchor, kind), ...(kind === 'root' ? ['--root'] : []), '--wd', '--']
  // The maker of the namespace is root in it; in a second one inside, the command is its caller again.
  const self = [`--map-user=${host.userId}`, `--map-group=${host.groupId}`]
  const becomeUser = [utilities.unshare, '--user', ...self, '--keep-caps', '--', utilities.setpriv, ...dropAll(missing)]
  return {
    inside: ({ words }, foundAs) => ({
      path: utilities.nsenter,
      argv0: utilities.nsenter,
      words: [...entering, ...(kind === 'user' ? [...becomeUser, '--'] : []), foundAs, ...words],
    }),
    close: () => void anchor.stdin?.end(),
  }
}

/** A new user namespace begins with all capabilities: drops them, and those that the caller could never get. */
function dropAll(missing: readonly number[]): string[] {
  const bounds = missing.map((number) => `-cap_${number}`).join(',')
  return ['--inh-caps=-all', '--ambient-caps=-all', ...(bounds === '' ? [] : [`--bounding-set=${bounds}`])]
}
