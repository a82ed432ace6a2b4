import { Keeping } from './keep.ts'
import { identifyProcess } from './processes.ts'
import { type Order, type Ready, readLines } from './protocol.ts'

/**
 * The keeper: a process of its own that holds one session, and cleans up after it. Started by testfleet with a pipe as
 * its standard input; the end of that pipe is the end of whoever started it, however that came.
 */

// A terminal that closes and a Ctrl-C are for whoever it keeps the session for.
process.on('SIGHUP', () => {}).on('SIGINT', () => {})
// Its starter may die in the middle of being told something.
process.stdout.on('error', () => {})

const handOn = readLines((line) => {
  // What comes next, the end too, waits for the talk.
  process.stdin.off('data', handOn).pause()
  void begin(JSON.parse(line))
})
process.stdin.on('data', handOn).on('end', leaveUnlessBegun)
let hasBegun = false

async function begin(order: Order): Promise<void> {
  hasBegun = true
  const keeping = new Keeping(order, () => process.exit(0))
  process.once('SIGTERM', () => keeping.finish())
  const socket = await keeping.open()
  const self = identifyProcess(process.pid) ?? { pid: process.pid, startedAt: '' }
  process.stdout.write(`${JSON.stringify({ process: self, socket } satisfies Ready)}\n`)
  keeping.talk(process.stdin, process.stdout)
}

/** Whoever started it has ended before it said what to keep. */
function leaveUnlessBegun(): void {
  if (!hasBegun) process.exit(0)
}
