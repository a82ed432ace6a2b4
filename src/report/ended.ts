import type { ContainerDetails } from '../model/container.ts'
import { isFailure } from '../model/failures.ts'
import type { SessionReport } from '../model/running.ts'
import type { SessionRecord } from '../model/session.ts'
import { readEnd, wordEnd, wordShortage } from '../ready/word-end.ts'
import type { Tools } from '../tools.ts'

type Asked = Pick<Tools, 'runtime' | 'sessions' | 'signal'>

interface Before {
  readonly record: Pick<SessionRecord, 'id' | 'servers'>
  readonly report: Pick<SessionReport, 'servers'>
}

/**
 * A sentence for each server that has ended since `fromMs`, when the report was made, or has lost a program for want of
 * memory. A server that was removed meanwhile, or that a call has stopped or killed, is left out.
 */
export async function describeEnds({ record, report }: Before, fromMs: number, tools: Asked): Promise<string[]> {
  const ran = Object.entries(record.servers).filter(([name]) =>
    /^(?:starting|ready|unready)$/.test(report.servers[name]?.state ?? ''),
  )
  const [losers, now] = await Promise.all([
    findOutOfMemory(record.id, fromMs, tools),
    tools.sessions.find(record.id, { signal: tools.signal }),
  ])
  const ends = await Promise.all(
    ran.map(async ([name, { container }]) => {
      const details = await inspect(container, tools)
      const hasLost = losers.has(container)
      const isWanted = now?.servers[name]?.isStopped === true && !hasLost
      return details === undefined || isWanted ? undefined : describeEnd(name, details, hasLost, tools)
    }),
  )
  return ends.filter((end) => end !== undefined)
}

/** Ids of the containers in which the kernel killed a program for want of memory. An engine reports this only as an event. */
export async function findOutOfMemory(
  session: string,
  fromMs: number,
  { runtime, signal }: Pick<Asked, 'runtime' | 'signal'>,
): Promise<ReadonlySet<string>> {
  const range = { sinceMs: fromMs, untilMs: Date.now() }
  const losers = new Set<string>()
  for await (const { kind, id } of runtime.followServers(session, range, { signal })) {
    if (kind === 'outOfMemory') losers.add(id)
  }
  return losers
}

async function inspect(id: string, { runtime, signal }: Asked): Promise<ContainerDetails | undefined> {
  try {
    return await runtime.inspectServer(id, { signal })
  } catch (error) {
    if (isFailure(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

async function describeEnd(
  name: string,
  details: ContainerDetails,
  hasLost: boolean,
  { runtime, signal }: Asked,
): Promise<string | undefined> {
  const { id, state, exitCode = 0 } = details
  if (state !== 'exited') {
    return hasLost ? `a program of ${name} was killed for ${wordShortage(details)} while the command ran` : undefined
  }
  return `${name} ${wordEnd(await readEnd({ containerId: id, runtime }, exitCode, signal))} while the command ran`
}
