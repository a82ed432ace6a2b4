import type { Host } from '../../model/host.ts'
import type { Lost, RightsFinding } from './rights/finding.ts'
import { judgeFacts } from './rights/judge.ts'
import { observeFacts } from './rights/observe.ts'

/** What the local engine can do on this machine, for this user. */
export interface LocalRights {
  /** Whether servers run in namespaces of an ordinary user. Root needs none. */
  readonly isOrdinaryUser: boolean
  /** Everything that is missing, the most important first. */
  readonly findings: readonly RightsFinding[]
}

/** Returns the first reason why something does not work; undefined when it works. */
export function findLoss({ findings }: LocalRights, lost: Lost): RightsFinding | undefined {
  return findings.find(({ loses }) => loses === lost)
}

/**
 * Finds out what the local engine can do here with a store in this folder, which need not exist. Changes nothing. Starts a
 * few short programs, so it takes some hundredths of a second.
 *
 * @example
 * const blocked = findLoss(await findRights(host, folder), 'engine')
 * if (blocked !== undefined) console.error(blocked.problem, blocked.advice)
 */
export async function findRights(
  { platform, userId }: Pick<Host, 'platform' | 'userId'>,
  folder: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<LocalRights> {
  const isOrdinaryUser = userId !== 0
  if (platform !== 'linux') return { isOrdinaryUser, findings: [notLinux] }
  const facts = await observeFacts(userId ?? -1, folder, options.signal)
  return { isOrdinaryUser, findings: judgeFacts(facts) }
}

const notLinux: RightsFinding = {
  loses: 'engine',
  problem: 'The local engine needs Linux.',
  advice: 'Use a container engine, such as Docker or Podman.',
}
