import { connect } from 'node:net'
import type { Answer } from './protocol.ts'
import { openTalk, type Talk } from './talk.ts'

/** A connection to somebody else's keeper: it holds the session until it is closed. */
export interface Joined extends Pick<Talk, 'ask' | 'tell'> {
  readonly greeting: Answer
  close(): void
}

const CONNECT_TIMEOUT_MS = 2000

/** Undefined when nobody answers there. */
export async function joinKeeper(socket: string): Promise<Joined | undefined> {
  if (socket === '') return undefined
  const connection = connect(socket)
  const talk = openTalk(connection, connection)
  // As with a keeper of one's own: who has nothing else to do may end.
  connection.unref()
  const clock = setTimeout(() => connection.destroy(), CONNECT_TIMEOUT_MS)
  const line = await talk.next()
  clearTimeout(clock)
  if (line === undefined) {
    connection.destroy()
    return undefined
  }
  return { greeting: JSON.parse(line) as Answer, ask: talk.ask, tell: talk.tell, close: () => void connection.end() }
}
