import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetFile, LeasedServer, TestfleetEvent } from '../index.ts'
import { now } from './clock.ts'
import type { OpenFleet } from './open-fleet.ts'

/** What a server did in the time of a test. */
export interface ServerStory {
  /** Name of the server; that of the copy, such as `db-2`, for a lease. */
  readonly server: string
  /** Lines of its log, and what happened to it, each with its time. */
  readonly lines: readonly string[]
  /** Number of earlier lines that were left out. */
  readonly leftOut: number
}

/** The test that has failed. */
export interface FailedTest {
  readonly since: Date
  /** Each with the time from which on the test had it. */
  readonly leases: readonly { readonly lease: LeasedServer; readonly since: Date }[]
}

const SETTLE_MS = 100

type Activity = Awaited<ReturnType<OpenFleet['client']['activity']>>[number]

/**
 * Returns what the servers of a fleet did since a test began: the last 64 KiB of each log with secrets masked, deaths,
 * restarts, and the ready checks that this process has made. It also has the leases of the test, which must not be given back yet.
 */
export async function describeServers<F extends FleetFile>(
  { fleet, client, readyAt, events }: OpenFleet<F>,
  { since: begun, leases }: FailedTest,
): Promise<readonly ServerStory[]> {
  // A test that waits for the start of the fleet begins when the fleet is ready.
  const since = begun < readyAt ? readyAt : begun
  // A line of a log reaches the engine a little later than the answer that goes with it.
  await sleep(SETTLE_MS)
  const until = now()
  const copies = leases.filter(({ lease }) => lease.session !== fleet.session)
  const found = await Promise.all([
    read(client, { since, until, session: fleet.session }),
    ...copies.map(({ lease: { session, copy }, since: leased }) =>
      read(client, { since: leased, until, session, servers: [copy] }),
    ),
  ])
  return found.flat().map(({ server, ...activity }) => ({
    server,
    leftOut: activity.leftOut,
    lines: describe({ server, ...activity }, events, since),
  }))
}

async function read(
  client: OpenFleet['client'],
  options: Parameters<OpenFleet['client']['activity']>[0],
): Promise<readonly Activity[]> {
  try {
    return await client.activity(options)
  } catch (error) {
    const [server = `session ${options.session}`] = options.servers ?? []
    return [{ server, lines: [], leftOut: 0, events: [], problem: (error as Error).message }]
  }
}

function describe(
  { server, lines, events, problem, exitCode }: Activity,
  asked: readonly TestfleetEvent[],
  since: Date,
): string[] {
  const noted = [...events, ...asked.filter((event) => Date.parse(event.time) >= since.getTime())]
  const told = noted.flatMap((event) => {
    const text = 'server' in event.data && event.data.server === server ? wordEvent(event) : undefined
    return text === undefined ? [] : [{ time: event.time, text: `* ${text}` }]
  })
  const all = [...told, ...lines].toSorted((one, other) => (one.time < other.time ? -1 : 1))
  const shown = all.map(({ time, text }) => `${time.slice('2026-11-30T'.length, -1)} ${toPlain(text)}`)
  if (problem !== undefined) shown.push(`* its log cannot be shown: ${toPlain(problem)}`)
  // A server that ended before the test began has no event in the time of the test.
  if (exitCode !== undefined && !events.some(({ kind }) => kind === 'server.exited'))
    shown.push(`* does not run: it ended with exit code ${exitCode}`)
  return shown
}

/** Words an event that says something about a failure. */
function wordEvent({ kind, data }: Pick<TestfleetEvent, 'kind' | 'data'>): string | undefined {
  switch (kind) {
    case 'server.exited':
      return `ended with exit code ${(data as { exitCode: number }).exitCode}`
    case 'server.outOfMemory':
      return 'used up its memory: the kernel has killed a process'
    case 'server.signalled':
      return `got ${(data as { signal?: string }).signal ?? 'a signal'}`
    case 'server.started':
    case 'server.paused':
    case 'server.resumed':
    case 'server.healthy':
    case 'server.unhealthy':
    case 'server.removed':
    case 'server.ready':
      return kind.slice('server.'.length)
    case 'server.waiting': {
      const { check, answer } = data as { check: string; answer?: string }
      return answer === undefined ? undefined : `ready check ${check}: ${answer}`
    }
    case 'server.failed':
      return (data as { message: string }).message
    default:
      return undefined
  }
}

/** Sequences of terminals, and other characters that move the cursor: those of a log must not. */
const controls =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g

function toPlain(text: string): string {
  return text.replaceAll(controls, '')
}

/** Writes what servers did as text, with at most `mostLines` of each. Servers that did nothing are one line together. */
export function formatStories(stories: readonly ServerStory[], mostLines: number = Number.POSITIVE_INFINITY): string {
  const [quiet, busy] = [true, false].map((isQuiet) => stories.filter(({ lines }) => (lines.length === 0) === isQuiet))
  const parts = (busy ?? []).map(({ server, lines, leftOut }) => {
    const last = lines.slice(-mostLines)
    const missing = leftOut + lines.length - last.length
    const head = missing === 0 ? `${server}:` : `${server}: (${missing} earlier lines)`
    return [head, ...last.map((line) => `  ${line}`)].join('\n')
  })
  const names = (quiet ?? []).map(({ server }) => server).join(', ')
  return [...parts, ...(names === '' ? [] : [`${names}: logged nothing during this test`])].join('\n')
}
