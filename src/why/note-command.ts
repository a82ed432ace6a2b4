import type { Cause } from '../model/cause.ts'
import { findOutOfMemory } from '../report/ended.ts'
import { observeServers } from '../report/report.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { locateIn } from './locate.ts'
import { addLogs, lookAtServers } from './look.ts'
import { saveNote } from './notes.ts'
import { findCauses } from './rules.ts'

const DEADLINE_MS = 5000

export interface FailedCommand {
  readonly name: string
  readonly exitCode: number
  readonly startedAtMs: number
}

/**
 * Keeps a note of the servers after a command that failed, also when nothing was wrong with them. Returns what was
 * wrong. Never fails: the result of the command is what matters.
 */
export async function noteCommand(command: FailedCommand, record: StoredRecord, tools: Tools): Promise<Cause[]> {
  try {
    return await note(command, record, tools)
  } catch {
    return []
  }
}

async function note({ name, exitCode, startedAtMs }: FailedCommand, record: StoredRecord, tools: Tools) {
  const signal = AbortSignal.any([tools.signal, AbortSignal.timeout(DEADLINE_MS)])
  const { runtime, sessions, host } = tools
  const { id, name: session, fleet, file } = record
  const now = (await sessions.find(id, { signal })) ?? record
  const observed = [...(await observeServers(now, runtime, { signal })).values()]
  const [seen, losers] = await Promise.all([
    lookAtServers(observed, tools, { signal }),
    findOutOfMemory(id, startedAtMs, { ...tools, signal }),
  ])
  // An engine reports a program of a server that still runs only as an event.
  const servers = seen.map((one) => (losers.has(one.container) ? { ...one, isOutOfMemory: true } : one))
  const known = await addLogs({ servers }, observed, tools, signal)
  await saveNote(
    {
      ...{ version: 1, session, id, fleet, file, endedAtMs: Date.now() },
      ...{ command: { name, exitCode }, servers: known },
    },
    host,
  ).catch(() => {})
  return findCauses({ servers: known }, await locateIn(file, host))
}
