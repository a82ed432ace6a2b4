import { startLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import { TestfleetError } from '../model/failures.ts'
import type { SessionRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { findLender } from './lender-place.ts'
import type { FleetOrder, PoolOrder } from './order.ts'

/** What a session was started from: the path of a fleet file, or a fleet as an object. */
export type LeaseSource = string | object | undefined

/** Starts the lender of a session. A failure is only a warning: the first lease tries again, and fails with it. */
export async function startLending(record: StoredRecord, source: LeaseSource, tools: Tools): Promise<void> {
  try {
    const client = await reachLender(record, source, tools)
    client.close()
  } catch (error) {
    tools.onEvent({ kind: 'warned', message: (error as Error).message })
  }
}

/** Connects to the lender of a session, and starts it if there is none. Fails with LENDER_LOST, SESSION_BUSY or USAGE. */
export async function reachLender(record: StoredRecord, source: LeaseSource, tools: Tools): Promise<LenderClient> {
  const { host, runtime } = tools
  const place = await findLender(record, tools)
  if ('client' in place) return place.client
  const environment = Object.fromEntries(
    Object.entries(host.environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  const order: PoolOrder = {
    kind: 'pool',
    session: record.id,
    socket: place.socket,
    endpoint: runtime.location.endpoint,
    environment,
    fleet: describeFleet(record, source, tools),
  }
  return startLender(order, host)
}

function describeFleet({ file, name }: SessionRecord, source: LeaseSource, { host }: Tools): FleetOrder {
  if (typeof source === 'object') return { kind: 'object', value: source, folder: host.workingFolder }
  if (file !== undefined) return { kind: 'file', named: file }
  const message = `nothing is lent yet in session ${name}, whose fleet was given as an object`
  throw new TestfleetError('USAGE', message, {
    hint: `Give the server a \`pool\`, or lease first in the program that called ${say('up')}.`,
  })
}
