import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hasProcessTable, listProcesses, readCommand } from '../../src/runtime/processes/process-table.ts'

const LONGEST_COMMAND = 300

/**
 * Describes a process and those that it has started, for the message about a call that hangs: a line for each, with its state,
 * what it waits for in the kernel, its command, and where its connections lead. Only on Linux.
 */
export function describeProcesses(root: number): string {
  if (!hasProcessTable(process.platform)) return 'the processes of this system cannot be listed'
  const all = [...listProcesses().values()]
  const connections = listConnections()
  const describeTree = (pid: number, indent: string): string[] => [
    `${indent}${pid} ${describeProcess(pid, connections)}`,
    ...all.filter(({ parentPid }) => parentPid === pid).flatMap((child) => describeTree(child.pid, `${indent}  `)),
  ]
  return describeTree(root, '').join('\n')
}

function describeProcess(pid: number, connections: ReadonlyMap<string, string>): string {
  const state = /^State:\s*(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1]
  if (state === undefined) return 'has ended'
  const command = readCommand(pid).join(' ').slice(0, LONGEST_COMMAND)
  const open = listTargets(pid).flatMap((target) => connections.get(target) ?? [])
  return `[${state}, ${read(`/proc/${pid}/wchan`)}] ${command}${open.length === 0 ? '' : ` (connected: ${open.join(', ')})`}`
}

/** What the descriptors of a process lead to, such as `socket:[4711]`. */
function listTargets(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return attempt(() => readdirSync(folder), []).map((number) => attempt(() => readlinkSync(`${folder}/${number}`), ''))
}

/** Where the connections of all processes lead, by the targets of their descriptors. Empty without `ss` of iproute2. */
function listConnections(): ReadonlyMap<string, string> {
  const rows = run('ss', ['-H', '-x', '-n']).map((line) => line.trim().split(/\s+/))
  // Type, state, two queues, and path and number of both ends.
  const paths = new Map(rows.map(([, , , , path = '', inode = '']) => [inode, path]))
  const unix = rows.map(
    ([, , , , path = '', inode = '', , peer = '']) => [inode, path === '*' ? (paths.get(peer) ?? '*') : path] as const,
  )
  const tcp = run('ss', ['-H', '-t', '-n', '-e']).flatMap((line) => {
    const [state, , , , peer = ''] = line.trim().split(/\s+/)
    const inode = / ino:(\d+)/.exec(line)?.[1]
    return inode === undefined ? [] : [[inode, `${peer} ${state}`] as const]
  })
  const named = [...unix, ...tcp].filter(([, target]) => target !== '*')
  return new Map(named.map(([inode, target]) => [`socket:[${inode}]`, target]))
}

function run(program: string, words: readonly string[]): string[] {
  const start = (): string => execFileSync(program, words, { encoding: 'utf8', timeout: 10_000, stdio: 'pipe' })
  const output = attempt(start, '')
  return output.split('\n').filter((line) => line !== '')
}

function read(path: string): string {
  return attempt(() => readFileSync(path, 'utf8'), '')
}

/** A process, or a descriptor, may end while it is looked at. */
function attempt<Result>(look: () => Result, otherwise: Result): Result {
  try {
    return look()
  } catch {
    return otherwise
  }
}
