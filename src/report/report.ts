import { readFile } from 'node:fs/promises'
import type { CallOptions } from '../engine/engine.ts'
import { isBlock } from '../formats/block.ts'
import { PACKAGE, PACKAGE_VERSION } from '../formats/grammar.ts'
import type { AuthorityRecord } from '../model/certificate.ts'
import type { ContainerSummary } from '../model/container.ts'
import type { ServerState } from '../model/events.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { type Labels, label, type PackageVersions } from '../model/labels.ts'
import { isProcessId } from '../model/process-id.ts'
import type { ServerReport, SessionReport } from '../model/running.ts'
import type { Change, ServerRecord, ServerSpec, SessionRecord } from '../model/session.ts'
import type { CheckSubject } from '../ready/run-check.ts'
import { waitUntilReady } from '../ready/wait-until-ready.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { describeExternal, externalId } from '../runtime/with-external.ts'
import { openSecretReader, type SecretReader } from '../servers/secrets.ts'
import type { ServerToAwait } from '../sessions/tools.ts'
import type { Tools } from '../tools.ts'
import { confirmPorts } from './confirm-ports.ts'
import { type LifeState, readLife } from './server-state.ts'

/** Time allowed for the ready checks of one server in a report. */
const LOOK_TIMEOUT_MS = 1000

/**
 * Reports the current state of a session. Servers in `knownReady` have just been waited for and are not probed again.
 */
export async function reportSession(
  record: Pick<SessionRecord, 'name' | 'fleet' | 'domain'>,
  observed: ObservedServers,
  knownReady: ReadonlySet<string>,
  tools: Pick<Tools, 'runtime' | 'host' | 'signal'>,
): Promise<SessionReport> {
  const servers = await Promise.all(
    [...observed.values()].map(async (server) => [server.name, await reportServer(server, knownReady, tools)] as const),
  )
  servers.sort(([a], [b]) => (a < b ? -1 : 1))
  const { name: session, fleet, domain } = record
  return { session, fleet, domain, servers: Object.fromEntries(servers) }
}

async function reportServer(
  server: ObservedServer,
  knownReady: ReadonlySet<string>,
  tools: Pick<Tools, 'runtime' | 'host' | 'signal'>,
): Promise<ServerReport> {
  const { container, spec } = server
  const addresses = tools.runtime.reach(container, spec.ports)
  const state = knownReady.has(server.name) && container.state === 'running' ? 'ready' : await probeState(server, tools)
  return {
    ...(typeof state === 'string' ? { state } : state),
    ...(spec.external !== undefined && { runs: 'external' as const }),
    ...(isProcessId(container.id) && { runs: 'process' as const }),
    container: spec.external === undefined ? container.id : '',
    image: container.image,
    packages: readPackages(container.labels),
    hostname: spec.hostname,
    ip: addresses.ip,
    endpoints: Object.fromEntries(addresses.endpoints),
  }
}

type ProbedState = ServerState | Pick<ServerReport, 'state' | 'exitCode' | 'outOfMemory'>

async function probeState(
  server: ObservedServer,
  tools: Pick<Tools, 'runtime' | 'host' | 'signal'>,
): Promise<ProbedState> {
  const { name, container, spec, isStarting } = server
  const life = await readLife(container, spec, tools.runtime, tools)
  if (life.state !== 'running') return describeState(life, isStarting)
  if (spec.ready.length === 0) return 'ready'
  const toAwait = { server: name, container: container.id, spec: { ...spec, readyTimeoutMs: LOOK_TIMEOUT_MS } }
  try {
    const isCompleted = await awaitReady(toAwait, container, tools, tools.signal, { isLook: true })
    return isCompleted ? probeState({ ...server, container: { ...container, state: 'exited' } }, tools) : 'ready'
  } catch (error) {
    if (tools.signal.aborted || !isFailure(error) || error.code === 'SECRET_UNUSABLE') throw error
    // It has ended while it was looked at.
    if (error.code === 'SERVER_DIED')
      return probeState({ ...server, container: { ...container, state: 'exited' } }, tools)
    return isStarting === true ? 'starting' : 'unready'
  }
}

function describeState(life: Exclude<LifeState, { state: 'running' }>, isStarting = false): ProbedState {
  if (life.state === 'created') return isStarting ? 'starting' : 'exited'
  if (!('exitCode' in life)) return life.state
  const { state, exitCode, isOutOfMemory } = life
  return { state, exitCode, ...(isOutOfMemory && { outOfMemory: true }) }
}

export interface Answers {
  onAnswer?(check: string, answer: string | undefined, tookMs?: number): void
  onHold?(check: string, tookMs?: number): void
  /** Whether only the state is wanted, without an explanation. */
  readonly isLook?: boolean
  /** Reads the server's secrets; without it, a check that needs them reads them from the container. */
  readonly readSecrets?: SecretReader
}

/**
 * Waits until a server is ready. Resolves with true when it has completed as an `exit` check demands. Fails with
 * READY_TIMEOUT, SERVER_DIED or PORT_TAKEN.
 */
export async function awaitReady(
  server: ServerToAwait,
  container: ContainerSummary,
  tools: Pick<Tools, 'runtime' | 'host'>,
  signal: AbortSignal,
  {
    onAnswer = () => {},
    onHold = () => {},
    isLook,
    readSecrets = openSecretReader(tools.runtime, tools.host, {}),
  }: Answers = {},
): Promise<boolean> {
  const { ready: checks, readyTimeoutMs: timeoutMs } = server.spec
  const subject = describeSubject(server, container, tools, readSecrets)
  const isCompleted = await waitUntilReady(subject, { checks, timeoutMs, signal, onAnswer, onHold, isLook })
  if (!isCompleted) await confirmPorts(server.server, container, tools, signal)
  return isCompleted
}

/** Like `awaitReady`, for a server that is being put back. */
export function awaitPutBack(tools: Pick<Tools, 'runtime' | 'host'>) {
  return async (server: ServerToAwait, signal: AbortSignal): Promise<void> => {
    await awaitReady(server, await tools.runtime.inspectServer(server.container, { signal }), tools, signal)
  }
}

function describeSubject(
  { server, spec, rights }: ServerToAwait,
  container: ContainerSummary,
  { runtime, host }: Pick<Tools, 'runtime' | 'host'>,
  readSecrets: SecretReader,
): CheckSubject {
  return {
    server,
    hostname: spec.hostname,
    containerId: container.id,
    runtime,
    reach: runtime.reach(container, spec.ports),
    ...(rights === undefined ? {} : { rights }),
    async readSecret(name) {
      // The container has its secrets from before its start until it is removed.
      return (await readSecrets({ server, container: container.id, spec })).get(name) ?? ''
    },
    readClientCertificate: () => readClientCertificate(spec.authority, host),
  }
}

async function readClientCertificate(authority: AuthorityRecord | undefined, host: Host) {
  if (authority === undefined) return undefined
  // Loaded on demand: most fleets have no certificates.
  const { findClientFiles } = await import('../certificates/authority-store.ts')
  const files = await findClientFiles(authority.fingerprint, host)
  if (files?.certificate === undefined || files.key === undefined) return undefined
  const [cert, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')])
  return { cert, key }
}

/**
 * Returns the packages recorded in the labels of an image or its container; empty when the label is missing or
 * unreadable.
 */
export function readPackages(labels: Labels): PackageVersions {
  try {
    const packages: unknown = JSON.parse(labels[label.packages] ?? '{}')
    if (!isBlock(packages)) return {}
    return Object.fromEntries(
      Object.entries(packages).filter((entry): entry is [string, string] => {
        const [name, version] = entry
        return PACKAGE.test(name) && typeof version === 'string' && PACKAGE_VERSION.test(version)
      }),
    )
  } catch {
    return {}
  }
}

/** A server of a session whose container exists. */
export interface ObservedServer {
  readonly name: string
  readonly container: ContainerSummary
  /** `sealed` is missing while the server is being started. */
  readonly spec: ServerSpec & Pick<ServerRecord, 'sealed'>
  /** Whether a call is starting it. */
  readonly isStarting?: boolean
}

export type ObservedServers = ReadonlyMap<string, ObservedServer>

/**
 * Returns the servers of a session. The record decides which container belongs to a server; labels of a container are
 * not trusted. During a change, the containers that it created take precedence.
 */
export async function observeServers(
  record: Pick<SessionRecord, 'id' | 'servers' | 'change'>,
  runtime: Runtime,
  options: CallOptions,
): Promise<ObservedServers> {
  return matchServers(record, await runtime.listServers({ [label.session]: record.id }, { signal: options.signal }))
}

export function matchServers(
  { servers, change }: Pick<SessionRecord, 'servers' | 'change'>,
  containers: readonly ContainerSummary[],
): ObservedServers {
  const observed = new Map<string, ObservedServer>()
  for (const [name, spec] of Object.entries(servers)) {
    const container = findContainer(spec, containers)
    const isStarting = change?.stage === 'making' && isStartedBy(change, name)
    if (container !== undefined) observed.set(name, { name, container, spec, ...(isStarting && { isStarting }) })
  }
  if (change?.stage !== 'making') return observed
  for (const container of containers.filter(({ labels }) => labels[label.change] === change.id)) {
    const name = container.labels[label.server] ?? ''
    const spec = Object.hasOwn(change.starting, name) ? change.starting[name] : undefined
    if (spec !== undefined) observed.set(name, { name, container, spec, isStarting: true })
  }
  for (const [name, spec] of Object.entries(change.starting)) {
    if (spec.external === undefined) continue
    const id = externalId(name, change.id, spec.external.addresses)
    observed.set(name, { name, container: describeExternal(id, spec.external), spec, isStarting: true })
  }
  return observed
}

/** An external server is nowhere but in the record. */
function findContainer(
  { container, external }: ServerRecord,
  containers: readonly ContainerSummary[],
): ContainerSummary | undefined {
  return external === undefined ? containers.find(({ id }) => id === container) : describeExternal(container, external)
}

function isStartedBy({ starting, resumed = [] }: Change, name: string): boolean {
  return Object.hasOwn(starting, name) || resumed.some(({ server }) => server === name)
}
