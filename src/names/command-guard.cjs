// Ends the command of `testfleet run` or `join`, with all programs that it has started, when testfleet itself was
// killed. testfleet starts it with a pipe as standard input, and writes the id of the command's process, then `end`
// once the command has ended. Arguments: the variable that the command's programs inherit, and the word by which
// keepers are recognized. If the pipe ends without `end`, testfleet was killed.
'use strict'
const { execFileSync } = require('node:child_process')
const { readdirSync, readFileSync } = require('node:fs')

// A closing terminal and Ctrl-C are meant for the command.
for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(name, () => {})

const [variable, exempt] = process.argv.slice(2)

let received = ''
/** Process of the command as testfleet started it. */
let command
process.stdin.setEncoding('utf8').on('data', (text) => {
  received += text
  if (received.includes('end')) process.exit(0)
  if (command === undefined && received.includes('\n')) command = listProcesses().get(Number.parseInt(received, 10))
})
process.stdin.on('end', () => {
  if (command !== undefined) killTree(command)
  process.exit(0)
})

/** Stops every process before killing, so that none can start another one meanwhile. */
function killTree(root) {
  const stopped = new Set()
  for (let size = -1; size < stopped.size; ) {
    size = stopped.size
    for (const pid of findTree(root)) {
      if (!stopped.has(pid)) send(pid, 'SIGSTOP')
      stopped.add(pid)
    }
  }
  for (const pid of stopped) send(pid, 'SIGKILL')
}

function findTree(root) {
  const processes = listProcesses()
  // The process id may have been reused.
  if (processes.get(root.pid)?.startedAt !== root.startedAt) return []
  // A program whose parent has ended is no longer a descendant, but still has the variable.
  const marked = [...processes.keys()].filter((pid) => readList(pid, 'environ').includes(variable))
  const tree = new Set([root.pid, ...marked])
  for (const parent of tree)
    for (const { pid, parentPid } of processes.values()) if (parentPid === parent) tree.add(pid)
  // A testfleet in the tree has its own processes that clean up after it.
  return [...tree].filter((pid) => !isExempt(processes.get(pid)))
}

function isExempt({ pid, words }) {
  return (words ?? readList(pid, 'cmdline')).includes(exempt)
}

/** Reads a list of strings of a process, on Linux. */
function readList(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0')
  } catch {
    // The process has ended, or belongs to another user.
    return []
  }
}

function send(pid, signal) {
  try {
    process.kill(pid, signal)
  } catch {
    // The process has ended, or belongs to another user.
  }
}

function listProcesses() {
  if (process.platform === 'linux') return listProc()
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,lstart=,args='], { encoding: 'utf8' }).split('\n')
  return new Map(
    lines.map((line) => {
      const [pid, parentPid, ...others] = line.trim().split(/\s+/)
      const [startedAt, words] = [others.slice(0, 5).join(' '), others.slice(5)]
      return [Number(pid), { pid: Number(pid), parentPid: Number(parentPid), startedAt, words }]
    }),
  )
}

function listProc() {
  const found = new Map()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      // The program's name, in brackets, may contain anything (proc_pid_stat(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const pid = Number(name)
      if (fields[0] !== 'Z' && fields[0] !== 'X')
        found.set(pid, { pid, parentPid: Number(fields[1]), startedAt: fields[19] })
    } catch {
      // The process has just ended.
    }
  }
  return found
}
