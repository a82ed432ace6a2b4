import { identifyProcess } from '../processes.ts'
import { Guard } from './guard.ts'
import type { KeeperOrder, KeeperReady } from './protocol.ts'

/**
 * The keeper: a process that guards one session and cleans up after it. testfleet starts it with a pipe as standard
 * input. The end of that pipe means that the starting process has ended, in whatever way.
 */

// A closing terminal and Ctrl-C are meant for the guarded process.
process.on('SIGHUP', () => {}).on('SIGINT', () => {})
// The guarded process may die while an answer is being sent.
process.stdout.on('error', () => {})

const readOrder = (chunk: Buffer): void => {
  received = Buffer.concat([received, chunk])
  const end = received.indexOf('\n')
  if (end === -1) return
  // The guard handles all further input, including its end.
  process.stdin.off('data', readOrder).pause()
  process.stdin.unshift(received.subarray(end + 1))
  void begin(JSON.parse(received.toString('utf8', 0, end)))
}
let received: Buffer = Buffer.alloc(0)
process.stdin.on('data', readOrder).on('end', leaveUnlessBegun)
let hasBegun = false

async function begin(order: KeeperOrder): Promise<void> {
  hasBegun = true
  const cleanUp = async (): Promise<void> => (await loadCleanUp()).cleanUp(order)
  const guard = new Guard(order, cleanUp, () => process.exit(0))
  process.once('SIGTERM', () => guard.finish())
  const socket = await guard.open()
  const self = identifyProcess(process.pid) ?? { pid: process.pid, startedAt: '' }
  process.stdout.write(`${JSON.stringify({ process: self, socket } satisfies KeeperReady)}\n`)
  guard.connect(process.stdin, process.stdout)
  // Loads the clean-up code only after answering, because the starter waits for the answer. Loads it now, because the
  // package may be uninstalled later.
  setImmediate(() => void prepare(order).catch(() => {}))
}

async function prepare(order: KeeperOrder): Promise<void> {
  await (await loadCleanUp()).prepareCleanUp(order)
}

function loadCleanUp(): Promise<typeof import('./clean-up.ts')> {
  return import('./clean-up.ts')
}

/** Exits if the starter has ended before it sent an order. */
function leaveUnlessBegun(): void {
  if (!hasBegun) process.exit(0)
}
