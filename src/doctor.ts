import type { EngineInfo, EngineLocation, EngineVersion } from './engine/engine.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

export interface Diagnosis {
  readonly location: Omit<EngineLocation, 'endpoint'>
  readonly version: EngineVersion
  readonly info: EngineInfo
  /** Undefined when there are no standby copies. */
  readonly standby: StandbyUse | undefined
  readonly findings: readonly Finding[]
}

/** Standby copies of all fleets on the engine. */
export interface StandbyUse {
  readonly copies: number
  /** Undefined when the engine does not tell. */
  readonly memoryBytes: number | undefined
  /** Names of the fleets. */
  readonly fleets: readonly string[]
}

export interface Finding {
  readonly problem: string
  readonly advice: string
}

const LITTLE_MEMORY_BYTES = 2 * 1024 ** 3

/** Which engine is used, why, and what is wrong with it. Fails with exit code 3 when it cannot be used at all. */
export async function diagnose(
  { engine, runtime, host, signal }: Tools,
  records: readonly StoredRecord[],
): Promise<Diagnosis> {
  const version = await engine.version({ signal })
  const info = await engine.info({ signal })
  const standby = await measureStandby(records, { runtime, signal })
  const { url, because, remoteHost } = engine.location
  const location = { url, because, remoteHost }
  const findings = [
    ...(await findLocalProblems(engine.location, host, signal)),
    ...findProblems(location, version, info),
  ]
  return { location, version, info, standby, findings }
}

/** What the local engine cannot do on this machine. */
async function findLocalProblems(
  { endpoint }: EngineLocation,
  host: Tools['host'],
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (endpoint.kind !== 'local') return []
  const { findRights } = await import('./engine/local/rights.ts')
  const { findings } = await findRights(host, endpoint.folder, { signal })
  return findings.map(({ problem, advice }) => ({ problem, advice }))
}

async function measureStandby(
  records: readonly StoredRecord[],
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
): Promise<StandbyUse | undefined> {
  const copies = records.filter(({ isStandby }) => isStandby === true)
  if (copies.length === 0) return undefined
  const containers = copies.flatMap(({ servers }) => Object.values(servers).map(({ container }) => container))
  // A copy may be taken or removed meanwhile.
  const sizes = await Promise.all(containers.map((id) => runtime.readMemory(id, { signal }).catch(() => undefined)))
  const known = sizes.filter((size) => size !== undefined)
  return {
    copies: copies.length,
    memoryBytes: known.length === 0 ? undefined : known.reduce((sum, size) => sum + size, 0),
    fleets: [...new Set(copies.map(({ fleet }) => fleet))].sort(),
  }
}

function findProblems(location: Diagnosis['location'], version: EngineVersion, info: EngineInfo): Finding[] {
  const findings: Finding[] = []
  const add = (isProblem: boolean, problem: string, advice: string): void => {
    if (isProblem) findings.push({ problem, advice })
  }
  add(version.os !== 'linux', `It runs ${version.os} containers.`, 'Switch it to Linux containers.')
  const isPlain = location.url.startsWith('tcp:')
  add(
    isPlain && location.remoteHost !== undefined,
    'It is reached over plain TCP: anyone who can reach it owns its machine.',
    'Use TLS (DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH), or a unix socket.',
  )
  add(
    isPlain && location.remoteHost === undefined,
    'It is reached over plain TCP at this machine: every user and every program here is root by it.',
    'Use its unix socket, which only its group may open, or TLS (DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH).',
  )
  add(
    location.remoteHost !== undefined,
    `It is on another machine: ports are published on all addresses of ${location.remoteHost}.`,
    'Say an `address` in `ports` to narrow that.',
  )
  add(
    info.memoryBytes > 0 && info.memoryBytes < LITTLE_MEMORY_BYTES,
    'It has less than 2 GiB of memory.',
    'Give its machine more, or start fewer servers at once.',
  )
  add(
    info.storageDriver === 'vfs',
    'Its storage driver is vfs, which copies every layer of every image.',
    'Use overlay2 (or fuse-overlayfs).',
  )
  for (const warning of info.warnings) add(true, `It says: ${warning}`, adviceFor(warning))
  return findings
}

function adviceFor(warning: string): string {
  if (/API is accessible|without encryption/i.test(warning))
    return 'Anyone who can reach it owns its machine: use TLS, or a unix socket.'
  return 'It concerns you only if your fleet uses what it names.'
}
