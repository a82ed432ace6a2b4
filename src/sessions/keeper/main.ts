import { Keeping } from './keep.ts'
import { identifyProcess } from './processes.ts'
import type { Order, Ready } from './protocol.ts'

/**
 * The keeper: a process of its own that holds one session, and cleans up after it. Started by testfleet with a pipe as
 * its standard input; the end of that pipe is the end of whoever started it, however that came.
 */

// A terminal that closes and a Ctrl-C are for whoever it keeps the session for.
process.on('SIGHUP', () => {}).on('SIGINT', () => {})
// Its starter may die in the middle of being told something.
process.stdout.on('error', () => {})

const readOrder = (chunk: Buffer): void => {
  received = Buffer.concat([received, chunk])
  const end = received.indexOf('\n')
  if (end === -1) return
  // What comes next, the end too, waits for the talk.
  process.stdin.off('data', readOrder).pause()
  process.stdin.unshift(received.subarray(end + 1))
  void begin(JSON.parse(received.toString('utf8', 0, end)))
}
let received: Buffer = Buffer.alloc(0)
process.stdin.on('data', readOrder).on('end', leaveUnlessBegun)
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
