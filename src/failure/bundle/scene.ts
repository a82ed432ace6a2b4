import type { CallOptions } from '../../engine/engine.ts'
import type { ObservedServer } from '../../report/observe.ts'
import type { StoredRecord } from '../../sessions/record.ts'
import type { Tools } from '../../tools.ts'
import { createMask, type Mask } from '../mask.ts'
import { listContainers } from './gather.ts'
import { gatherSecrets } from './session-secrets.ts'
import { wordProblem } from './word-problem.ts'

/** What is there when something has failed, and how to speak of it without a secret. */
export interface Scene {
  /** Undefined for a call that works on no session. */
  readonly session: StoredRecord | undefined
  readonly containers: readonly ObservedServer[]
  readonly mask: Mask
  /** Why nothing of what the containers say may be shown; undefined when it may. */
  readonly hiddenBecause: string | undefined
  readonly problems: readonly string[]
}

export async function lookAtScene(
  session: StoredRecord | undefined,
  tools: Tools,
  options: CallOptions,
): Promise<Scene> {
  const problems: string[] = []
  const containers = await listContainers(session, tools, options).catch((error: unknown) => {
    problems.push(`the servers: ${wordProblem(error)}`)
    return []
  })
  const { values, unknown } = await gatherSecrets(containers, tools, options)
  const hiddenBecause =
    unknown.length === 0
      ? undefined
      : `logs and inspect output: the secrets of ${unknown.join(', ')} could not be read, and so not be masked`
  if (hiddenBecause !== undefined) problems.push(hiddenBecause)
  return { session, containers, mask: createMask(values), hiddenBecause, problems }
}
