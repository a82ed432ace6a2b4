import { identifyProcess } from '../processes.ts'
import { Guard } from './guard.ts'
import type { Order, Ready } from './protocol.ts'

/**
 * The keeper: a process of its own that guards one session, and cleans up after it. testfleet starts it with a pipe as
 * its standard input; the end of that pipe is the end of the process that started it, however that came.
 */

// A terminal that closes and a Ctrl-C are meant for the process that it guards the session for.
process.on('SIGHUP', () => {}).on('SIGINT', () => {})
// That process may die while an answer is on its way.
process.stdout.on('error', () => {})

const readOrder = (chunk: Buffer): void => {
  received = Buffer.concat([received, chunk])
  const end = received.indexOf('\n')
  if (end === -1) return
  // What comes next, the end too, is for the guard.
  process.stdin.off('data', readOrder).pause()
  process.stdin.unshift(received.subarray(end + 1))
  void begin(JSON.parse(received.toString('utf8', 0, end)))
}
let received: Buffer = Buffer.alloc(0)
process.stdin.on('data', readOrder).on('end', leaveUnlessBegun)
let hasBegun = false

async function begin(order: Order): Promise<void> {
  hasBegun = true
  const cleanUp = async (): Promise<void> => (await loadCleanUp()).cleanUp(order)
  const guard = new Guard(order, cleanUp, () => process.exit(0))
  process.once('SIGTERM', () => guard.finish())
  const socket = await guard.open()
  const self = identifyProcess(process.pid) ?? { pid: process.pid, startedAt: '' }
  process.stdout.write(`${JSON.stringify({ process: self, socket } satisfies Ready)}\n`)
  guard.connect(process.stdin, process.stdout)
  // Whoever started it waits for the lines above. Loaded now all the same: at its end the package may be gone.
  setImmediate(() => void loadCleanUp().catch(() => {}))
}

function loadCleanUp(): Promise<typeof import('./clean-up.ts')> {
  return import('./clean-up.ts')
}

/** Whoever started it has ended before it said what to guard. */
function leaveUnlessBegun(): void {
  if (!hasBegun) process.exit(0)
}
