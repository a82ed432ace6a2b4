import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { markProcess, type ProcessMark } from '../processes.ts'

/** Environment variable by which the programs of a command in a container are found. */
export const execMark = 'TESTFLEET_EXEC'

export interface ProgramSearch {
  /** The container's first process. */
  readonly first: ProcessMark
  /** Value of `execMark`. */
  readonly mark: string
  /** Processes that are known to belong to the command. What is found is added. */
  readonly known: Set<number>
}

interface Seen {
  readonly pid: number
  readonly parent: number
  readonly session: number
}

/**
 * Finds the processes of a command in a container that still run: those with its mark, those that are known, the members of
 * their sessions and their children. A program may have cleared its environment.
 */
export async function findPrograms({ first, mark, known }: ProgramSearch): Promise<readonly ProcessMark[]> {
  const inside = listInside(first.pid)
  const found = new Set<number>()
  for (let isNew = true; isNew; ) {
    isNew = false
    for (const { pid, parent, session } of inside) {
      if (found.has(pid)) continue
      if (!known.has(pid) && !known.has(parent) && !known.has(session) && !isMarked(pid, mark)) continue
      found.add(pid)
      known.add(pid)
      isNew = true
    }
  }
  const marks = await Promise.all([...found].map(markProcess))
  return marks.filter((one) => one !== undefined)
}

/** Lists the processes with the same process ids inside, except the first one. */
function listInside(first: number): readonly Seen[] {
  const namespace = linkOf(first)
  if (namespace === undefined) return []
  const pids = readdirSync('/proc').map(Number)
  return pids.filter((pid) => pid > 1 && pid !== first && linkOf(pid) === namespace).flatMap(look)
}

function linkOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

/** The program's name, in brackets, may have any character. */
function look(pid: number): Seen[] {
  const text = read(pid, 'stat')
  const [state, parent, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' || state === 'Z' || state === 'X'
    ? []
    : [{ pid, parent: Number(parent), session: Number(session) }]
}

function isMarked(pid: number, mark: string): boolean {
  return read(pid, 'environ').includes(`${execMark}=${mark}`)
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
