import type { FleetFile, FleetSource, RunningFleet, ShareOptions, TestfleetEvent, TestfleetOptions } from '../index.ts'
import { now } from './clock.ts'
import { beginStackAt, explain, misuse, tellPlainly } from './explain-failure.ts'
import { Testfleet, TestfleetError, VERSION } from './library.ts'
import { isRunnerGone } from './parent.ts'

/**
 * How far one fleet is shared: by all tests of a run, of a worker, or of a file. `test` is as `run`, and each server that a
 * test uses is a lease, which is given back after the test.
 */
export type Per = 'run' | 'worker' | 'file' | 'test'

/** Options of the fleet of a test suite. */
export interface FleetTestOptions<F extends FleetFile = FleetFile>
  extends Omit<ShareOptions<F>, 'process' | 'session' | 'signal'>,
    Omit<TestfleetOptions, 'onEvent'> {
  /** How far one fleet is shared. Default: `run`. */
  readonly per?: Per | undefined
}

/** Where tests run. */
export interface Place {
  /** Id of the process that runs the whole suite and ends last. */
  readonly runner: number
  /** Tells apart the workers that run at the same time, such as `1`. */
  readonly worker: string
  /** Whether the tests run in a thread of the runner, which ends before it. */
  readonly isThread?: boolean
}

/** A fleet that tests of this process use. */
export interface OpenFleet<F extends FleetFile = FleetFile> {
  readonly fleet: RunningFleet<F>
  readonly client: Testfleet
  /** Since then, the fleet is ready. */
  readonly readyAt: Date
  /** What this process has asked of the fleet lately, such as ready checks. */
  readonly events: readonly TestfleetEvent[]
  /** Leaves the fleet, once all that have opened it in this process have closed or ended it. The runner itself stays. */
  close(): Promise<void>
  /** As `close`, and the runner leaves, too: no other file of this process needs the fleet. */
  end(): Promise<void>
}

const kinds: readonly Per[] = ['run', 'worker', 'file', 'test']
/** The newest events that are kept. */
const MOST_EVENTS = 1000

/**
 * Opens the fleet of the tests that run at `place`. The first call of a run starts it, others join it. Of several calls in
 * one process, all get one handle. The message of a failure has its hint and the last output of what failed.
 *
 * @throws {TestfleetError} The codes of `share`; USAGE when the process has loaded another version of testfleet; CANCELLED when the
 *   runner has ended
 */
export async function openFleet<F extends FleetFile>(
  source: FleetSource<F> | undefined,
  options: FleetTestOptions<F>,
  place: Place,
): Promise<OpenFleet<F>> {
  claimVersion()
  const { per = 'run' } = options
  if (!kinds.includes(per)) throw misuse(`\`per\` is ${JSON.stringify(per)}`, `Use one of ${kinds.join(', ')}.`)
  const slot = per === 'worker' ? place.worker : undefined
  const shared = { ...options, process: place.runner, slot, isThread: place.isThread }
  return tellPlainly(() =>
    per === 'file'
      ? begin(options, (client) => client.start(source, options), place)
      : openOnce([source, options, place], () => begin(options, (client) => client.share(source, shared), place)),
  )
}

/**
 * Fails with USAGE if another version of testfleet is loaded in this process. Both would use the same sessions, and errors
 * of one are no errors of the other.
 */
export function claimVersion(version: string = VERSION): void {
  const other = ofProcess('version', () => version)
  if (other !== version) {
    throw misuse(
      `this project has testfleet ${other} and testfleet ${version}`,
      'Find both with `npm ls testfleet`, and install one version.',
    )
  }
}

/** Returns a value that the whole process has once, also when a runner loads this module several times. */
export function ofProcess<Value>(name: string, make: () => Value): Value {
  const all = globalThis as { [key: symbol]: unknown }
  const key = Symbol.for(`testfleet.${name}`)
  all[key] ??= make()
  return all[key] as Value
}

/** Opens a fleet, unless the runner is gone. */
export async function begin<F extends FleetFile>(
  { per, ...options }: FleetTestOptions<F>,
  open: (client: Testfleet) => Promise<RunningFleet<F>>,
  { runner, isThread }: Place,
): Promise<OpenFleet<F>> {
  const events: TestfleetEvent[] = []
  const onEvent = (event: TestfleetEvent): void => {
    if (events.push(event) > MOST_EVENTS) events.shift()
  }
  const client = new Testfleet({ ...options, onEvent })
  if (await isRunnerGone(runner)) throw runnerIsGone()
  const fleet = await open(client)
  if (await isRunnerGone(runner)) {
    await fleet.leave()
    throw runnerIsGone()
  }
  explainUnknownServers(fleet)
  const stop = leaveWithRunner(fleet, runner)
  const end = async (): Promise<void> => {
    stop()
    await fleet.leave()
  }
  // The runner itself stays in a shared session until it ends: the next file needs the fleet, too.
  const close = runner === process.pid && per !== 'file' && isThread !== true ? async () => {} : end
  return { fleet, client, readyAt: now(), events, close, end }
}

/** Runners print the message of an error, without its hint, and the file of the first line of its stack. */
export function explainUnknownServers(fleet: Pick<RunningFleet, 'server'>): void {
  const find = fleet.server
  const server = (name: string): unknown => {
    try {
      return find.call(fleet, name)
    } catch (error) {
      throw beginStackAt(server, explain(error))
    }
  }
  Object.defineProperty(fleet, 'server', { value: server, configurable: true, writable: true })
}

function runnerIsGone(): TestfleetError {
  return new TestfleetError('CANCELLED', 'the test runner has ended before its tests')
}

/** How often a worker looks whether its runner still exists. */
const LOOK_MS = 1000

/** A worker can outlive a runner that was killed, as those of node:test do. It must not hold the fleet then. */
function leaveWithRunner(fleet: Pick<RunningFleet, 'leave'>, runner: number): () => void {
  if (runner === process.pid) return () => {}
  const look = setInterval(() => {
    if (process.ppid === runner) return
    clearInterval(look)
    // The keeper removes what cannot be removed here.
    fleet.leave().catch(() => {})
  }, LOOK_MS).unref()
  return () => clearInterval(look)
}

interface Opened {
  readonly opening: Promise<OpenFleet>
  users: number
}

/** Returns what an earlier call in this process has opened. A call after one that failed tries again. */
export async function openOnce<Open extends Omit<OpenFleet, 'fleet'>>(
  key: readonly unknown[],
  open: () => Promise<Open>,
): Promise<Open> {
  const opened = ofProcess('opened', () => new Map<string, Opened>())
  const text = JSON.stringify(key)
  const entry = opened.get(text) ?? { opening: open() as unknown as Promise<OpenFleet>, users: 0 }
  opened.set(text, entry)
  entry.users++
  const forget = (): void => {
    if (opened.get(text) === entry) opened.delete(text)
  }
  const once =
    (leave: () => Promise<void>): (() => Promise<void>) =>
    async () => {
      if (--entry.users > 0) return
      forget()
      await leave()
    }
  try {
    const fleet = (await entry.opening) as unknown as Open
    return { ...fleet, close: once(fleet.close), end: once(fleet.end) }
  } catch (error) {
    forget()
    throw error
  }
}
