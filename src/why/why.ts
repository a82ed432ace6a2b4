import { showPath } from '../formats/paths.ts'
import type { Cause, WhyReport } from '../model/cause.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { RunNote, SeenServer } from '../model/run-note.ts'
import { awaitReady, type ObservedServer, observeServers } from '../report/report.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { locateIn } from './locate.ts'
import { addLogs, lookAtServers } from './look.ts'
import { findCauses } from './rules.ts'

/** Time for the ready checks of a server that runs. */
const LOOK_MS = 1000

/** Looks at a session that runs, and says what is wrong with its servers. `note` is what is kept of its failed start. */
export async function explainSession(
  record: StoredRecord,
  note: RunNote | undefined,
  tools: Tools,
): Promise<WhyReport> {
  const { id, name: session, fleet, file } = record
  const { signal } = tools
  const observed = [...(await observeServers(record, tools.runtime, { signal })).values()]
  const looked = await lookAtServers(observed, tools, { signal })
  const asked = await Promise.all(looked.map((one) => ask(one, observed, tools)))
  const failure = note?.id === id ? note.failure : undefined
  const failed = note?.servers.filter(({ server }) => server === failure?.server) ?? []
  // Undoing the failed start has removed its servers. With `keep`, they are still there.
  const gone = failed.filter(({ container }) => !asked.some((one) => one.container === container))
  const isOver = failed.some(({ container }) =>
    asked.some((one) => one.container === container && one.isReady === true),
  )
  // The failed start had asked other ready checks of a server that it kept.
  const now = asked.map((one) => {
    const then = failed.find(({ container }) => container === one.container)
    return then === undefined || one.isReady !== undefined
      ? one
      : { ...one, isReady: then.isReady, answers: then.answers }
  })
  const seen = { ...(!isOver && { failure }), servers: [...gone, ...now] }
  const servers = await addLogs(seen, observed, tools, signal)
  const causes = findCauses({ ...seen, servers }, await locateIn(file, tools.host))
  return { session, fleet, causes: show(causes, tools.host) }
}

/** Says what was wrong with the servers of a run that has ended. */
export async function explainNote(note: RunNote, host: Host): Promise<WhyReport> {
  const { session, fleet, file, endedAtMs } = note
  const causes = show(findCauses(note, await locateIn(file, host)), host)
  return { session, fleet, endedAt: new Date(endedAtMs).toISOString(), causes }
}

/** Asks the ready checks of a server that runs, once. */
async function ask(one: SeenServer, observed: readonly ObservedServer[], tools: Tools): Promise<SeenServer> {
  const server = observed.find(({ container }) => container.id === one.container)
  if (server === undefined || one.state !== 'running' || server.spec.ready.length === 0) return one
  if (server.isStarting === true) return one
  const { name, container, spec } = server
  const answers = new Map<string, string>()
  const toAwait = { server: name, container: container.id, spec: { ...spec, readyTimeoutMs: LOOK_MS } }
  try {
    await awaitReady(toAwait, container, tools, tools.signal, {
      isLook: true,
      onAnswer: (check, answer = 'no answer') => void answers.set(check, answer),
      onHold: (check) => void answers.delete(check),
    })
    return { ...one, isReady: true }
  } catch (error) {
    if (tools.signal.aborted || !isFailure(error)) throw error
    return { ...one, isReady: false, answers: Object.fromEntries(answers) }
  }
}

function show(causes: readonly Cause[], { workingFolder }: Host): Cause[] {
  return causes.map((cause) =>
    cause.file === undefined ? cause : { ...cause, file: showPath(cause.file, workingFolder) },
  )
}
