import type { CallOptions, EngineInfo, EngineVersion } from '../../engine/engine.ts'
import { NAME } from '../../formats/grammar.ts'
import type { ContainerDetails } from '../../model/container.ts'
import { type ObservedServer, observeServers } from '../../report/observe.ts'
import type { StoredRecord } from '../../sessions/record.ts'
import type { Tools } from '../../tools.ts'

/** One server of the bundle; of a fleet, of the session on the engine, or of both. */
export interface BundledServer {
  /** As messages name it. */
  readonly name: string
  /** Its folder in the bundle. */
  readonly folder: string
  readonly container: ContainerDetails | undefined
}

/** What the engine tells for a bundle; what it does not tell is undefined. */
export interface Gathered {
  readonly servers: readonly BundledServer[]
  readonly version: EngineVersion | undefined
  readonly info: EngineInfo | undefined
}

/** The containers of a session, this call's or not. None when the engine does not tell. */
export async function listContainers(
  session: StoredRecord | undefined,
  { runtime }: Tools,
  options: CallOptions,
): Promise<readonly ObservedServer[]> {
  if (session === undefined) return []
  return [...(await observeServers(session, runtime, options)).values()]
}

/** `onProblem` is told what the engine did not tell, and why. */
export async function gather(
  containers: readonly ObservedServer[],
  { engine, recorder }: Tools,
  onProblem: (what: string, error: unknown) => void,
  options: CallOptions,
): Promise<Gathered> {
  const attempt = async <Answer>(what: string, question: Promise<Answer>): Promise<Answer | undefined> => {
    try {
      return await question
    } catch (error) {
      onProblem(what, error)
      return undefined
    }
  }
  const [version, info, details] = await Promise.all([
    attempt('the version of the engine', engine.version(options)),
    attempt('what the engine says of itself', engine.info(options)),
    Promise.all(
      containers.map(async ({ name, container }) => {
        const inspected = await attempt(`what ${name} is`, engine.inspectContainer(container.id, options))
        return inspected === undefined ? [] : [[name, inspected] as const]
      }),
    ),
  ])
  const byName = new Map(details.flat())
  const names = new Set([...(recorder.subject?.images.keys() ?? []), ...byName.keys()])
  const servers = [...names].map((name) => ({
    name,
    folder: folderOf(name, byName.get(name)),
    container: byName.get(name),
  }))
  return { servers, version, info }
}

/** A label that someone else wrote can hold anything, and is no path. */
function folderOf(name: string, container: ContainerDetails | undefined): string {
  return NAME.test(name) ? name : `container-${(container?.id ?? '').replaceAll(/[^0-9a-f]/g, '').slice(0, 12)}`
}
