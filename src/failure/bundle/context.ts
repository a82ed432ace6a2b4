import type { EngineInfo, EngineVersion } from '../../engine/engine.ts'
import { NAME } from '../../formats/grammar.ts'
import type { ContainerDetails } from '../../model/container.ts'
import { isFailure } from '../../model/failures.ts'
import type { Server } from '../../model/fleet.ts'
import { type ObservedServer, observeServers } from '../../report/report.ts'
import { openSecretReader, readSecret } from '../../servers/secrets.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { createMask, type Mask } from '../mask.ts'
import { bodyOf, hiddenValues, secretsOf } from '../recorder.ts'
import { describeProblem } from './folder.ts'

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

/** Returns the secrets that this call has read or generated, without asking the engine. */
export function knownSecrets({ recorder }: Tools): string[] {
  return recorder.call === undefined ? [] : secretsOf(recorder.call)
}

/**
 * Returns the same, with the fleet's secrets from outside and those that only the containers have. `unknown` lists the
 * servers whose secrets could not be read.
 */
async function gatherSecrets(
  containers: readonly ObservedServer[],
  tools: Tools,
  signal: AbortSignal,
): Promise<{ readonly values: ReadonlySet<string>; readonly unknown: readonly string[] }> {
  const { recorder, runtime, host } = tools
  const values = new Set(knownSecrets(tools))
  const servers = [...(recorder.call?.fleet.servers.values() ?? [])]
  for (const value of (await Promise.all(servers.map((server) => readFromOutside(server, tools)))).flat()) {
    values.add(value)
  }
  const readSecrets = openSecretReader(runtime, host, { signal })
  const unknown: string[] = []
  await Promise.all(
    containers
      .filter(({ spec }) => spec.secrets.length > 0 || spec.authority !== undefined)
      .map(async ({ name, container, spec }) => {
        const holder = { server: name, container: container.id, spec }
        try {
          const server = recorder.call?.fleet.servers.get(name)
          const given = spec.secrets.length > 0 ? hiddenValues(await readSecrets(holder), server) : []
          for (const value of given) values.add(value)
          // Loaded on demand: most fleets have no certificates.
          const certificates = spec.authority && (await import('../../servers/certificates.ts'))
          const key = await certificates?.readKey(runtime, container.id, { signal })
          if (key !== undefined) values.add(bodyOf(key))
        } catch (error) {
          const isGone = isFailure(error, 'NOT_FOUND')
          if (!isGone && recorder.call?.secrets.has(name) !== true) unknown.push(name)
        }
      }),
  )
  return { values, unknown }
}

/** A secret whose variable is unset, or whose file is gone, cannot appear in the output either. */
async function readFromOutside(server: Server, { host }: Tools): Promise<string[]> {
  const fromOutside = [...server.secrets.values()].filter(({ kind }) => kind === 'env' || kind === 'file')
  const found = await Promise.all(fromOutside.map((origin) => readSecret(origin, host).catch(() => undefined)))
  return found.filter((value) => value !== undefined)
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
  const { engine, recorder } = tools
  const attempt = <Answer>(what: string, question: Promise<Answer>): Promise<Answer | undefined> =>
    question.catch((error: unknown) => void note(what, error))
  const [version, info, ...details] = await Promise.all([
    attempt('the version of the engine', engine.version(options)),
    attempt('information about the engine', engine.info(options)),
    ...containers.map(async ({ name, container }) => {
      const inspected = await attempt(`inspect output of ${name}`, engine.inspectContainer(container.id, options))
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
