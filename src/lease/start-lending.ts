import { startLender } from '../lender/client.ts'
import type { LenderClient } from '../lender/connection.ts'
import { MAX_LINE_LENGTH } from '../lender/protocol.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { SessionRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { readNeeded } from './lender-environment.ts'
import { findLender } from './lender-place.ts'
import type { FleetOrder, PoolOrder } from './order.ts'
import { splitText } from './parts.ts'

/** Leaves room for the id of the request. A longer one is sent in parts. */
const LONGEST_REQUEST = MAX_LINE_LENGTH - 100
const REFRESH_TIMEOUT_MS = 30_000

/** What a session was started from: the path of a fleet file, or a fleet as an object. */
export type LeaseSource = string | object | undefined

/**
 * Starts the lender of a session. One that runs learns what has changed. A failure is only a warning: the first lease tries
 * again, and fails with it.
 */
export async function startLending(record: StoredRecord, source: LeaseSource, tools: Tools): Promise<void> {
  try {
    const place = await findLender(record, tools)
    const client = 'client' in place ? place.client : await launch(place.socket, record, source, tools)
    try {
      if ('client' in place) await refresh(client, record, source, tools)
    } finally {
      client.close()
    }
  } catch (error) {
    tools.signal.throwIfAborted()
    tools.onEvent({ kind: 'warned', message: (error as Error).message })
  }
}

/** Connects to the lender of a session, and starts it if there is none. Fails with LENDER_LOST, SESSION_BUSY or USAGE. */
export async function reachLender(record: StoredRecord, source: LeaseSource, tools: Tools): Promise<LenderClient> {
  const place = await findLender(record, tools)
  return 'client' in place ? place.client : launch(place.socket, record, source, tools)
}

async function launch(
  socket: string,
  record: StoredRecord,
  source: LeaseSource,
  { host, runtime, signal }: Tools,
): Promise<LenderClient> {
  const fleet = describeFleet(record, source, host)
  const order: PoolOrder = {
    kind: 'pool',
    session: record.id,
    socket,
    endpoint: runtime.location.endpoint,
    environment: await readNeeded(fleet, host),
    fleet,
  }
  return startLender(order, host, signal)
}

async function refresh(
  client: LenderClient,
  record: StoredRecord,
  source: LeaseSource,
  { host, signal }: Tools,
): Promise<void> {
  const isKnown = typeof source === 'object' || record.file !== undefined
  const fleet = isKnown ? describeFleet(record, source, host) : undefined
  const request = fleet && { refresh: fleet, environment: await readNeeded(fleet, host) }
  const options = { timeoutMs: REFRESH_TIMEOUT_MS, signal }
  const text = JSON.stringify(request ?? {})
  const isLong = text.length > LONGEST_REQUEST
  for (const part of isLong ? splitText(text) : []) await client.ask({ part }, options)
  await client.ask(request === undefined || isLong ? { refresh: true } : request, options)
}

function describeFleet({ file, name }: SessionRecord, source: LeaseSource, host: Host): FleetOrder {
  if (typeof source === 'object') return { kind: 'object', value: source, folder: host.workingFolder }
  if (file !== undefined) return { kind: 'file', named: file }
  const message = `nothing is lent yet in session ${name}, whose fleet was given as an object`
  throw new TestfleetError('USAGE', message, {
    hint: `Give the server a \`pool\`, or lease first in the program that called ${say('up')}.`,
  })
}
