import { type CommandRequest, runCommand } from '../../command-in-session.ts'
import type { Host } from '../../model/host.ts'
import { closeTaken, leaveToKeeper } from '../../standby/leave.ts'
import type { Taken, Taking } from '../../standby/take.ts'
import type { Tools } from '../../tools.ts'
import type { Membership } from '../../up/membership.ts'
import type { CallSettings } from '../call.ts'
import { tellTaken, tryCopies } from '../standby-source.ts'
import { hasPools, startPools } from '../start-pools.ts'
import type { Source } from '../types/options.ts'
import type { RunOptions, RunResult } from '../types/run.ts'

/**
 * Runs a command on a standby copy, and leaves its removal to the keeper. Undefined when there is no copy. Nothing that
 * starts a fleet is loaded before the command runs.
 */
export async function runOnStandby(
  client: CallSettings,
  source: Source,
  request: CommandRequest,
  options: RunOptions,
  host: Host,
): Promise<RunResult | undefined> {
  const { signal = new AbortController().signal } = options
  const run = { client, source, request, options, host, signal }
  return tryCopies({ client, source, options, host, signal }, (taking) => runOnCopy(taking, run))
}

interface Run {
  readonly client: CallSettings
  readonly source: Source
  readonly request: CommandRequest
  readonly options: RunOptions
  readonly host: Host
  readonly signal: AbortSignal
}

/** Runs the command on this copy. Fails with `NotTaken` when it cannot be used. */
export async function runOnCopy(taking: Taking, run: Run): Promise<RunResult> {
  const { client, request, options, host, signal } = run
  const { onEvent } = client
  const { report, socket, lender, view } = taking
  const beganAt = performance.now()
  const startedAtMs = Date.now()
  let loading: Promise<Loaded> | undefined
  const begin = (): Promise<Loaded> => {
    loading ??= taking.taken.then((taken) => load(run, taken))
    loading.catch(() => {})
    return loading
  }
  // A command of a fleet with pools can lease at once. The command of another fleet does not wait for this.
  const ready = taking.taken.then(async ({ record }) => {
    if (hasPools(record)) await begin()
  })
  ready.catch(() => {})
  const onStart = (): void => {
    tellTaken(report, performance.now() - beganAt, onEvent)
    request.onStart()
  }
  const command = { ...request, onStart, onRunning: () => void begin() }
  const exitCode = await runCommand({ report, socket, lender }, command, Promise.resolve({ ...view, ready }), {
    host,
    signal,
    onEvent,
  }).catch(async (error: unknown) => {
    await giveUp(taking)
    const loaded = await loading?.catch(() => undefined)
    loaded?.tools.engine.close()
    throw error
  })
  const taken = await taking.taken
  const { record, listener } = taken
  const end = (tools: Tools): Promise<number> => leaveToKeeper(taken, host, tools)
  const member: Membership = { record, report, socket, takenDown: listener.takenDown, end }
  const { tools, finishOnStandby } = await begin().catch((error: unknown) => {
    closeTaken(taken)
    throw error
  })
  try {
    return await finishOnStandby({ exitCode, startedAtMs }, member, request, tools, options.caller?.lookAround)
  } catch (error) {
    throw tools.recorder.addThrown(error)
  } finally {
    tools.engine.close()
  }
}

type Loaded = { readonly tools: Tools } & Pick<typeof import('./run-started.ts'), 'finishOnStandby'>

async function load({ client, source, options, host }: Run, { record }: Taken): Promise<Loaded> {
  const [{ openCallTools }, { finishOnStandby }] = await Promise.all([import('../call.ts'), import('./run-started.ts')])
  const session = { kind: 'named', name: record.name, by: 'its standby copy' } as const
  const tools = await openCallTools(client, options, host, { session })
  try {
    await startPools(record, source, tools)
    return { tools, finishOnStandby }
  } catch (error) {
    tools.engine.close()
    throw error
  }
}

/** Leaves the copy to the keeper, if this process already holds it. */
async function giveUp(taking: Taking): Promise<void> {
  taking.cancel()
  const taken = await taking.taken.catch(() => undefined)
  if (taken !== undefined) closeTaken(taken)
}
