import { type CommandRequest, runCommand } from '../../command-in-session.ts'
import type { Host } from '../../model/host.ts'
import { closeTaken, leaveToKeeper } from '../../standby/leave.ts'
import type { Taken, Taking } from '../../standby/take.ts'
import type { Tools } from '../../tools.ts'
import type { Membership } from '../../up/membership.ts'
import type { CallSettings } from '../call.ts'
import { tellTaken, tryCopies } from '../standby-source.ts'
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
  return tryCopies({ client, source, options, host, signal }, (taking) => runOn(taking, run))
}

interface Run {
  readonly client: CallSettings
  readonly source: Source
  readonly request: CommandRequest
  readonly options: RunOptions
  readonly host: Host
  readonly signal: AbortSignal
}

async function runOn(taking: Taking, run: Run): Promise<RunResult> {
  const { client, request, options, host, signal } = run
  const { onEvent } = client
  const { report, socket, lender, view } = taking
  const beganAt = performance.now()
  const startedAtMs = Date.now()
  let loading: Promise<Loaded> | undefined
  const onStart = (): void => {
    tellTaken(report, performance.now() - beganAt, onEvent)
    request.onStart()
  }
  const onRunning = (): void => {
    loading = taking.taken.then((taken) => load(run, taken))
    loading.catch(() => {})
  }
  const command = { ...request, onStart, onRunning }
  const exitCode = await runCommand({ report, socket, lender }, command, Promise.resolve(view), {
    host,
    signal,
    onEvent,
  }).catch(async (error: unknown) => {
    await giveUp(taking)
    throw error
  })
  const taken = await taking.taken
  const { record, listener } = taken
  const end = (tools: Tools): Promise<number> => leaveToKeeper(taken, host, tools)
  const member: Membership = { record, report, socket, takenDown: listener.takenDown, end }
  const { tools, finishOnStandby } = await (loading ?? load(run, taken)).catch((error: unknown) => {
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
  const [{ openCallTools }, { startPools }, { finishOnStandby }] = await Promise.all([
    import('../call.ts'),
    import('../start-pools.ts'),
    import('./run-started.ts'),
  ])
  const tools = await openCallTools(client, options, host)
  await startPools(record, source, tools)
  return { tools, finishOnStandby }
}

/** Leaves the copy to the keeper, if this process already holds it. */
async function giveUp(taking: Taking): Promise<void> {
  taking.cancel()
  const taken = await taking.taken.catch(() => undefined)
  if (taken !== undefined) closeTaken(taken)
}
