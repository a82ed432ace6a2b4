import type { WhyReport } from '../../model/cause.ts'
import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { Host } from '../../model/host.ts'
import type { RunNote } from '../../model/run-note.ts'
import { say } from '../../model/surface.ts'
import { readMachine } from '../../sessions/processes.ts'
import { isSameMachine, type SessionChoice } from '../../sessions/resolve.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { readNotes } from '../../why/notes.ts'
import { explainNote, explainSession } from '../../why/why.ts'
import { type CallSettings, chooseCallSession, hostOf, openCallTools } from '../call.ts'
import type { WhyOptions } from '../types/why.ts'

export async function why(client: CallSettings, options: WhyOptions): Promise<WhyReport> {
  const host = hostOf(client)
  const choice = await chooseCallSession(options, host).catch(withWayOfObjects)
  const notes = await readChosen(choice, host)
  const tools = await openCallTools(client, options, host, { session: choice, isQuiet: true }).catch(orUndefined(notes))
  try {
    return await explain(choice, notes, tools, host)
  } finally {
    tools?.engine.close()
  }
}

async function explain(
  choice: SessionChoice,
  notes: readonly RunNote[],
  tools: Tools | undefined,
  host: Host,
): Promise<WhyReport> {
  const session = tools && (await findLatest(choice, tools).catch(orUndefined(notes)))
  const note = notes.find(({ endedAtMs }) => session === undefined || endedAtMs >= session.createdAtMs)
  if (tools !== undefined && session !== undefined) {
    tools.onEvent({ kind: 'sessionChosen', session: session.name })
    const own = notes.find(({ id }) => id === session.id)
    const report = await explainSession(session, own, tools)
    // Another run of the fleet may have failed since this session was started.
    if (report.causes.length > 0 || note === undefined || note.id === session.id) return report
  }
  if (note !== undefined) return explainNote(note, host)
  const what = choice.kind === 'named' ? `of the session ${choice.name}` : `of ${choice.file}`
  throw new TestfleetError('NO_SESSION', `nothing is known of a run ${what}`, {
    hint: `Runs in which nothing fails are not noted. Start one with ${say('up')}, or name another session with ${say('session')}. ${wayOfObjects()}`,
  })
}

/** Returns the notes of a file, or of a session, or else of a fleet of that name that a program gave as an object. */
async function readChosen(choice: SessionChoice, host: Host): Promise<RunNote[]> {
  if (choice.kind !== 'named') return readNotes({ file: choice.file }, host)
  const notes = await readNotes({ session: choice.name }, host)
  return notes.length > 0 ? notes : readNotes({ fleet: choice.name }, host)
}

/** Says how to name a fleet that has no file. */
function wayOfObjects(): string {
  return `If a program gives the fleet as an object, name it with ${say('session', 'FLEET')}.`
}

function withWayOfObjects(error: unknown): never {
  if (isFailure(error, 'FLEET_FILE_NOT_FOUND')) error.hint = `${error.hint} ${wayOfObjects()}`
  throw error
}

/** Returns the session that was started last, of those that the choice means. */
async function findLatest(choice: SessionChoice, { sessions, signal }: Tools): Promise<StoredRecord | undefined> {
  const here = readMachine()
  const isMeant = (record: StoredRecord): boolean =>
    choice.kind === 'named'
      ? record.name === choice.name
      : record.file === choice.file && isSameMachine(record.machine, here)
  const records = (await sessions.list({ signal })).sessions
  const meant = records.filter((one) => one.parent === undefined && one.isStandby !== true && isMeant(one))
  return meant.sort((one, other) => other.createdAtMs - one.createdAtMs)[0]
}

/** Notes can be read without an engine. */
function orUndefined(notes: readonly RunNote[]): (error: unknown) => undefined {
  return (error) => {
    if (notes.length === 0 || !isFailure(error)) throw error
  }
}
