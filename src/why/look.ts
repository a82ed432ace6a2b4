import type { CallOptions } from '../engine/engine.ts'
import { gatherSecrets } from '../failure/bundle/gather-secrets.ts'
import { createMask } from '../failure/mask.ts'
import type { Recorder } from '../failure/recorder.ts'
import type { ContainerDetails } from '../model/container.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { Evidence, SeenServer } from '../model/run-note.ts'
import { readLogEnd } from '../ready/read-log-end.ts'
import type { ObservedServer } from '../report/report.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { findCauses } from './rules.ts'

/** What a look at servers needs. */
export interface LookTools {
  readonly runtime: Runtime
  readonly host: Host
  /** Secrets and answers that a call already knows. */
  readonly recorder: Recorder
}

/** Looks at servers: one request for each. A server that is gone meanwhile is left out. */
export async function lookAtServers(
  servers: Iterable<ObservedServer>,
  { runtime, recorder }: LookTools,
  options: CallOptions,
): Promise<SeenServer[]> {
  const seen = await Promise.all(
    [...servers].map(async (server) => {
      const details = await runtime.inspectServer(server.container.id, options).catch((error: unknown) => {
        if (isFailure(error, 'NOT_FOUND')) return undefined
        throw error
      })
      return details === undefined ? [] : [describe(server, details, recorder)]
    }),
  )
  return seen.flat()
}

function describe({ name, spec }: ObservedServer, details: ContainerDetails, recorder: Recorder): SeenServer {
  const { id, state, exitCode, isOutOfMemory, memoryBytes, restarts, endedAtMs } = details
  const exit = spec.ready.find(({ kind }) => kind === 'exit')
  const answers = [...recorder.lastAnswersOf(name)].filter(([, answer]) => answer !== 'passes')
  return {
    server: name,
    container: id,
    state,
    ...(exitCode !== undefined && { exitCode }),
    ...(exit?.kind === 'exit' && { wantedCode: exit.code }),
    ...('isStopped' in spec && spec.isStopped === true && { isStopped: true }),
    isOutOfMemory,
    ...(memoryBytes !== undefined && { memoryBytes }),
    restarts,
    ...(endedAtMs > 0 && { endedAtMs }),
    ...(answers.length > 0 && { isReady: false }),
    answers: Object.fromEntries(answers),
    log: [],
  }
}

/**
 * Masks the answers of all servers, and adds the end of the log of each server that is a cause. Leaves both out when
 * secrets cannot be read and so not be masked.
 */
export async function addLogs(
  evidence: Evidence,
  observed: readonly ObservedServer[],
  tools: LookTools,
  signal: AbortSignal,
): Promise<SeenServer[]> {
  const wanted = new Set(findCauses(evidence, () => undefined).map(({ server }) => server))
  // The failure of a start shows the log of its server.
  if (evidence.failure !== undefined && evidence.failure.output.length > 0) wanted.delete(evidence.failure.server)
  const hasAnswers = evidence.servers.some(({ answers }) => Object.keys(answers).length > 0)
  if (wanted.size === 0 && !hasAnswers) return evidence.servers
  const { values, unknown } = await gatherSecrets(observed, tools, signal)
  if (unknown.length > 0) return evidence.servers.map((one) => ({ ...one, answers: {} }))
  const mask = createMask(values)
  return Promise.all(
    evidence.servers.map(async (one) => {
      const answers = Object.entries(one.answers).map(([check, answer]) => [check, mask.text(answer)])
      const masked = { ...one, answers: Object.fromEntries(answers) }
      if (!wanted.has(one.server) || one.log.length > 0) return masked
      const lines = await readLogEnd({ runtime: tools.runtime, containerId: one.container }, signal).catch(() => [])
      return { ...masked, log: lines.map(mask.text) }
    }),
  )
}
