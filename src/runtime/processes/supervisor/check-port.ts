import type { PublishedPort } from '../../../model/container.ts'
import { TestfleetError } from '../../../model/failures.ts'
import { findListener, holdsPort, type Listener } from '../find-listener.ts'
import { readName } from '../process-table.ts'

/** Fails with PORT_TAKEN when somebody listens at the port. */
export function refuseTaken(port: PublishedPort): void {
  const listener = findListener(port.port, port.protocol)
  if (listener !== undefined) throw taken(port, listener)
}

/** Programs that listen for a container, and are not started by who starts the container. */
const forwarders = new Set([
  'docker-proxy',
  'dockerd',
  'rootlessport',
  'rootlesskit',
  'slirp4netns',
  'pasta',
  'systemd',
])

/**
 * Fails with PORT_TAKEN when somebody else than these processes listens at the port: it was free before the program
 * started, and would answer in its place. A holder that the system does not tell can be the program's, with other rights.
 */
export function refuseForeign(port: PublishedPort, pids: readonly number[]): void {
  if (holdsPort(pids, port.port, port.protocol)) return
  const listener = findListener(port.port, port.protocol)
  if (listener?.pid === undefined || forwarders.has(readName(listener.pid))) return
  throw taken(port, listener)
}

function taken({ address, port }: PublishedPort, { pid }: Listener): TestfleetError {
  const holder = pid === undefined ? 'a process of another user' : `${readName(pid)} (process ${pid})`
  return new TestfleetError('PORT_TAKEN', `the port is already taken: ${address}:${port}, by ${holder}`, {
    hint: 'End that program, or choose another port.',
  })
}
