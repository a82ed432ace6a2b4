import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wordFileError } from '../formats/word-error.ts'
import { isFailure } from '../model/failures.ts'
import { listBoundFiles, VIEW_SOURCE } from './bound-files.ts'
import { explainRefusal, type MountRights, type NamingHost, type Unsupported } from './mount-rights.ts'
import { findProgram, type Program } from './run-program.ts'

/** View of the file system in which /etc/hosts has the fleet's names. The machine's own file is not changed. */
export interface Namespace {
  /**
   * Returns the program to start so that `program` runs in this view with its caller's rights. The started process
   * becomes `program`. `foundAs` is the name by which it is found.
   */
  inside(program: Program, foundAs: string): Program
  /** Closes the namespace. Programs that run in it are not affected. */
  close(): void
}

/** Time limit for each program that creates a namespace. */
const STEP_MS = 5000

/** Programs of util-linux, and `cat`. */
const utilityNames = ['unshare', 'nsenter', 'setpriv', 'mount', 'cat'] as const
type Utilities = Readonly<Record<(typeof utilityNames)[number], string>>

/** Everything needed to create a namespace. */
interface Means {
  readonly utilities: Utilities
  readonly rights: MountRights
  readonly host: NamingHost
  readonly signal: AbortSignal
}

/** Creates a namespace with this /etc/hosts, or returns why the system refuses. A failed try leaves nothing behind. */
export async function openNamespace(
  hosts: string,
  rights: MountRights,
  host: NamingHost,
  signal: AbortSignal,
): Promise<Namespace | Unsupported> {
  let anchor: ChildProcess | undefined
  try {
    const means = { utilities: await findUtilities(host), rights, host, signal }
    anchor = await startAnchor(means)
    await showFiles(hosts, anchor, means)
    return toNamespace(anchor, means)
  } catch (error) {
    anchor?.kill('SIGKILL')
    signal.throwIfAborted()
    if (error instanceof Refusal) return { unsupportedReason: await explainRefusal(error.message, rights) }
    if (isFailure(error)) return { unsupportedReason: error.message }
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return { unsupportedReason: `/etc/hosts cannot be copied: ${wordFileError(error)}` }
  }
}

/** The system refused; the message is its own. */
class Refusal extends Error {}

async function findUtilities(host: NamingHost): Promise<Utilities> {
  const paths = await Promise.all(utilityNames.map(async (name) => [name, await findProgram(name, host)] as const))
  return Object.fromEntries(paths) as Utilities
}

/**
 * Starts a process that keeps the namespace alive until programs have joined it. It ends when its input is closed, also
 * by our death.
 */
async function startAnchor({ utilities, rights, host, signal }: Means): Promise<ChildProcess> {
  const user = rights.kind === 'user' ? ['--user', '--map-root-user'] : []
  // Later mounts outside are visible inside; mounts inside stay there.
  const options = [...user, '--mount', '--propagation', 'slave', '--', utilities.cat]
  const anchor = startUtility(utilities.unshare, options, host.workingFolder)
  anchor.stdin?.on('error', () => {}).write('\n')
  // The line is echoed once the namespace is ready and `cat` runs.
  await waitForEnd(anchor, [once(anchor.stdout as NodeJS.EventEmitter, 'data')], signal)
  return anchor
}

/**
 * Binds the files that the command sees. They are in a tmpfs of the namespace, so that they cannot be removed while in
 * use: a nested testfleet could not mount over a removed file. The tmpfs stays when the folder below it is removed.
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

/** Starts a program in a separate process group, because an interrupt at the terminal is for the command. */
function startUtility(path: string, words: readonly string[], cwd?: string): ChildProcess {
  return spawn(path, words, { stdio: 'pipe', detached: true, env: { LC_ALL: 'C' }, cwd })
}

/** Longest kept message; only its first line is shown. */
const MAX_WORDS_LENGTH = 2000

/**
 * Resolves when the program exits with 0, or with one of `others`; rejects with the first line of its output when it
 * fails.
 */
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
  // Joining a mount namespace changes to its root folder: use the anchor's root and working folder instead.
  const entering = [...joinOptions(anchor, kind), ...(kind === 'root' ? ['--root'] : []), '--wd', '--']
  // The creator of a user namespace is root in it; a second, nested one maps the command back to its caller.
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

/** A new user namespace starts with all capabilities: drops them, and those that the caller could never get. */
function dropAll(missing: readonly number[]): string[] {
  const bounds = missing.map((number) => `-cap_${number}`).join(',')
  return ['--inh-caps=-all', '--ambient-caps=-all', ...(bounds === '' ? [] : [`--bounding-set=${bounds}`])]
}
