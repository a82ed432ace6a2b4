import type { EngineInfo, EngineVersion } from '../../engine/engine.ts'
import { NAME } from '../../formats/grammar.ts'
import type { ContainerDetails } from '../../model/container.ts'
import { type ObservedServer, observeServers } from '../../report/report.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { createMask, type Mask } from '../mask.ts'
import { describeProblem } from './folder.ts'
import { gatherSecrets } from './gather-secrets.ts'

const DEADLINE_MS = 15_000

/** Everything that a bundle is written from, with the mask for its secrets. */
export interface BundleContext {
  /** Session of the call, or undefined when it has none. */
  readonly session: StoredRecord | undefined
  /** All containers of the session, of this call and of others. */
  readonly containers: readonly ObservedServer[]
  readonly mask: Mask
  /**
   * Whether logs and inspect output may be written: only if all secrets of the containers are known and can be masked.
   */
  readonly isShown: boolean
  /** Missing parts of the bundle, with reasons. */
  readonly problems: Set<string>
  note(what: string, error: unknown): void
  readonly tools: Tools
  /** Deadline for all requests to the engine. */
  readonly options: { readonly signal: AbortSignal }
}

export async function openContext(session: StoredRecord | undefined, tools: Tools): Promise<BundleContext> {
  const options = { signal: AbortSignal.any([tools.cancelSignal, AbortSignal.timeout(DEADLINE_MS)]) }
  const problems = new Set<string>()
  const note = (what: string, error: unknown): void => void problems.add(`${what}: ${describeProblem(error)}`)
  const containers: ObservedServer[] = []
  try {
    if (session !== undefined) containers.push(...(await observeServers(session, tools.runtime, options)).values())
  } catch (error) {
    note('the servers', error)
  }
  const { values, unknown } = await gatherSecrets(containers, tools, options.signal)
  if (unknown.length > 0) {
    const names = unknown.join(', ')
    problems.add(`logs and inspect output, because the secrets of ${names} could not be read and masked`)
  }
  const mask = createMask(values)
  return { session, containers, mask, isShown: unknown.length === 0, problems, note, tools, options }
}

/** A server of the bundle: of the fleet file, of the session on the engine, or of both. */
export interface BundledServer {
  /** Name for messages. */
  readonly name: string
  /** Name of its folder in the bundle. */
  readonly folder: string
  readonly container: ContainerDetails | undefined
}

/** Information from the engine; undefined where the request failed. */
export interface Gathered {
  readonly servers: readonly BundledServer[]
  readonly version: EngineVersion | undefined
  readonly info: EngineInfo | undefined
}

/** Collects information from the engine, and notes each failed request. */
export async function gather({ containers, tools, options, note }: BundleContext): Promise<Gathered> {
  const { engine, runtime, recorder } = tools
  const attempt = <Answer>(what: string, question: Promise<Answer>): Promise<Answer | undefined> =>
    question.catch((error: unknown) => void note(what, error))
  const [version, info, ...details] = await Promise.all([
    attempt('the version of the engine', engine.version(options)),
    attempt('information about the engine', engine.info(options)),
    ...containers.map(async ({ name, container }) => {
      const inspected = await attempt(`inspect output of ${name}`, runtime.inspectServer(container.id, options))
      return inspected === undefined ? [] : [[name, inspected] as const]
    }),
  ])
  const byName = new Map(details.flat())
  const names = new Set([...(recorder.call?.images.keys() ?? []), ...byName.keys()])
  const servers = [...names].map((name) => {
    const container = byName.get(name)
    return { name, folder: folderOf(name, container), container }
  })
  return { servers, version, info }
}

/** A label can contain anything if another program wrote it, so only a valid name becomes a path. */
function folderOf(name: string, container: ContainerDetails | undefined): string {
  return NAME.test(name) ? name : `container-${(container?.id ?? '').replaceAll(/[^0-9a-f]/g, '').slice(0, 12)}`
}
