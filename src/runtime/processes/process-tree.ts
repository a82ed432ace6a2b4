import { setTimeout as sleep } from 'node:timers/promises'
import { OUTLIVES_STARTER } from '../../model/host.ts'
import { findMarked, listProcesses, type ProcessEntry, readCommand, readProcess, send } from './process-table.ts'

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
  readonly root?: Pick<ProcessEntry, 'pid' | 'startedAt'> | undefined
}

/**
 * Finds all processes of a server: those with its mark, those of its program's session and group, and all that these
 * have started. A program can overwrite its environment with a title, and can leave its session, but rarely does both.
 */
export function findTree({ id, variable = MARK, userId, root }: TreeOf): number[] {
  const processes = listProcesses()
  const marked = findMarked(`${variable}=${id}`, userId)
  const found = new Set([...marked.filter((pid) => processes.has(pid)), ...findGroup(root, processes)])
  const children = Map.groupBy(processes.values(), ({ parentPid }) => parentPid)
  for (const pid of found) {
    // A testfleet in the tree has processes that clean up after it.
    if (readCommand(pid).includes(OUTLIVES_STARTER)) found.delete(pid)
    else for (const child of children.get(pid) ?? []) found.add(child.pid)
  }
  return [...found]
}

/** Finds the processes of a program's group and session: none if another process now has its id, because both are gone. */
function findGroup(root: TreeOf['root'], processes: ReadonlyMap<number, ProcessEntry>): number[] {
  const now = root && processes.get(root.pid)
  if (root === undefined || (now !== undefined && now.startedAt !== root.startedAt)) return []
  const inGroup = [...processes.values()].filter(({ group, session }) => session === root.pid || group === root.pid)
  return inGroup.map(({ pid }) => pid)
}

/** Sends a signal to all processes of a server, also to those that start meanwhile. */
export function sendToTree(tree: TreeOf, signal: NodeJS.Signals): void {
  const reached = new Set<number>()
  for (let size = -1; size < reached.size; ) {
    size = reached.size
    const found = findTree(tree).filter((pid) => !reached.has(pid))
    send(found, signal)
    for (const pid of found) reached.add(pid)
  }
}

const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 50
/** Longer than the kernel needs to end a process that was killed, unless it waits for a device. */
const KILL_MS = 30_000

/** Kills all processes of a server, and looks again until none is left. Resolves with those that cannot be killed. */
export async function killTree(tree: TreeOf, limitMs = KILL_MS): Promise<number[]> {
  const giveUpAt = performance.now() + limitMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const found = findTree(tree)
    if (found.length === 0 || performance.now() > giveUpAt) return found
    send(found, 'SIGKILL')
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
