import { setTimeout as sleep } from 'node:timers/promises'
import { OUTLIVES_STARTER } from '../../model/host.ts'
import { findMarked, listProcesses, type ProcessEntry, readCommand, readProcess, send } from './process-table.ts'
import type { KnownProcess } from './server-folder.ts'

/** Variable in the environment of every process of a server. Its value is the server's id. */
export const MARK = 'TESTFLEET_PROCESS'

/** How to find the processes of a server. */
export interface TreeOf {
  /** Id of the server: the value of its mark. */
  readonly id: string
  /** Variable that is the mark. Default: that of servers. */
  readonly variable?: string | undefined
  readonly userId: number | undefined
  /** The program that the server is, as it was started; undefined when it is not known. */
  readonly root?: KnownProcess | undefined
  /** Others of its processes, as they were seen earlier. */
  readonly known?: readonly KnownProcess[] | undefined
}

/**
 * Finds all processes of a server: those with its mark, those of its program's session and group, and all that these
 * have started. A program can overwrite its environment with a title, and can leave its session. One that does both is
 * found while its parent runs, and later if it was seen meanwhile.
 */
export function findTree(tree: TreeOf): number[] {
  const processes = listProcesses()
  const marked = findMarked(`${tree.variable ?? MARK}=${tree.id}`, tree.userId)
  return addChildren([...marked.filter((pid) => processes.has(pid)), ...findKnown(tree, processes)], processes)
}

/** Returns the processes to know of a server: like `findTree`, but reads no environments, which takes longer. */
export function lookAround(tree: Pick<TreeOf, 'root' | 'known'>): KnownProcess[] {
  const processes = listProcesses()
  return addChildren(findKnown(tree, processes), processes).flatMap((pid) => processes.get(pid) ?? [])
}

function addChildren(pids: readonly number[], processes: Processes): number[] {
  const found = new Set(pids)
  const children = Map.groupBy(processes.values(), ({ parentPid }) => parentPid)
  for (const pid of found) {
    // A testfleet in the tree has processes that clean up after it.
    if (readCommand(pid).includes(OUTLIVES_STARTER)) found.delete(pid)
    else for (const child of children.get(pid) ?? []) found.add(child.pid)
  }
  return [...found]
}

function findKnown({ root, known = [] }: Pick<TreeOf, 'root' | 'known'>, processes: Processes): number[] {
  const alive = known.filter(({ pid, startedAt }) => processes.get(pid)?.startedAt === startedAt)
  return [...findGroup(root, processes), ...alive.flatMap((one) => [one.pid, ...findGroup(one, processes)])]
}

type Processes = ReadonlyMap<number, ProcessEntry>

/** Finds the processes of a program's group and session: none if another process now has its id, because both are gone. */
function findGroup(root: TreeOf['root'], processes: Processes): number[] {
  const now = root && processes.get(root.pid)
  if (root === undefined || (now !== undefined && now.startedAt !== root.startedAt)) return []
  const inGroup = [...processes.values()].filter(({ group, session }) => session === root.pid || group === root.pid)
  return inGroup.map(({ pid }) => pid)
}

/** Sends a signal to all processes of a server, also to those that start meanwhile. Returns those that refuse it. */
export function sendToTree(tree: TreeOf, signal: NodeJS.Signals): number[] {
  const reached = new Set<number>()
  const refused: number[] = []
  for (let size = -1; size < reached.size; ) {
    size = reached.size
    const found = findTree(tree).filter((pid) => !reached.has(pid))
    refused.push(...send(found, signal))
    for (const pid of found) reached.add(pid)
  }
  return refused
}

const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 50
/** Longer than the kernel needs to end a process that was killed, unless it waits for a device. */
const KILL_MS = 30_000
/** A process of another user cannot be killed. It often ends by itself when its parent has: `sudo` passes this on. */
const REFUSED_MS = 1000

/** Kills all processes of a server, and looks again until none is left. Resolves with those that cannot be killed. */
export async function killTree(tree: TreeOf, limitMs = KILL_MS): Promise<number[]> {
  const begunAt = performance.now()
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const found = findTree(tree)
    const tookMs = performance.now() - begunAt
    if (found.length === 0 || tookMs > limitMs) return found
    const refused = send(found, 'SIGKILL')
    if (refused.length === found.length && tookMs > REFUSED_MS) return found
    await sleep(pauseMs)
  }
}

/** Waits until no process of a server is left. Resolves with whether that happened in time. */
export async function awaitTree(tree: TreeOf, limitMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + limitMs
  let known = findTree(tree)
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    // Looks for all of them only once those that are known have ended, because it takes longer.
    if (known.every((pid) => readProcess(pid) === undefined)) known = findTree(tree)
    if (known.length === 0) return true
    if (performance.now() > giveUpAt) return false
    await sleep(pauseMs)
  }
}
