import { randomUUID } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import type { Limits, Ulimit } from '../../../model/fleet.ts'
import { readOwnCapabilities } from './capabilities.ts'
import { type Cgroups, cgroupFolder } from './cgroups.ts'

/** What this machine can limit. */
export interface LimitSupport {
  /** Whether swap is counted, so that it can be limited, too. */
  readonly countsSwap: boolean
  /** Whether this process is root of the machine, and not only of a namespace. */
  readonly isMachineRoot: boolean
  /** How many files the programs of a container can have open at most. */
  readonly mostFiles: number
}

const CPU_PERIOD_US = 100_000

/** As Docker's programs have it on most machines. */
const USUAL_FILES = 1_048_576

export async function findLimitSupport(cgroups: Cgroups): Promise<LimitSupport> {
  const memory = cgroups.controllers.get('memory')
  const [countsSwap, map, limits, held] = await Promise.all([
    memory === undefined ? true : isThere(`${memory}/memory.memsw.limit_in_bytes`),
    readFile('/proc/self/uid_map', 'utf8'),
    readFile('/proc/self/limits', 'utf8'),
    readOwnCapabilities('CapEff'),
  ])
  const isMachineRoot = /^\s*0\s+0\s+4294967295\s*$/.test(map)
  const own = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1] ?? 0)
  const canRaise = isMachineRoot && held.includes('CAP_SYS_RESOURCE')
  return { countsSwap, isMachineRoot, mostFiles: canRaise ? USUAL_FILES : Math.min(own, USUAL_FILES) }
}

/**
 * Returns `linux.resources`. As with Docker, a container may use as much swap as memory. An ordinary user has no cgroups, so
 * limits are left out; those that a fleet file sets were refused before.
 */
export function resourcesOf({ memoryBytes, cpus, pids }: Limits, { countsSwap, isMachineRoot }: LimitSupport): object {
  if (!isMachineRoot) return {}
  return {
    ...(memoryBytes !== undefined && { memory: { limit: memoryBytes, ...(countsSwap && { swap: memoryBytes * 2 }) } }),
    ...(cpus !== undefined && { cpu: { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US } }),
    ...(pids !== undefined && { pids: { limit: pids } }),
  }
}

/** Returns `process.rlimits`, in which -1 is no limit. */
export function rlimitsOf(ulimits: Readonly<Record<string, Ulimit>>, { mostFiles }: LimitSupport): readonly object[] {
  const all = { ...(mostFiles > 0 && { nofile: { soft: mostFiles, hard: mostFiles } }), ...ulimits }
  return Object.entries(all).map(([name, { soft, hard }]) => ({
    ...{ type: `RLIMIT_${name.toUpperCase()}`, soft: unlimitedIfNegative(soft), hard: unlimitedIfNegative(hard) },
  }))
}

/** RLIM_INFINITY has 64 bits, which no number of JavaScript can hold: `ociConfig` replaces this text by it. */
export const NO_LIMIT = randomUUID()

function unlimitedIfNegative(value: number): number | string {
  return value < 0 ? NO_LIMIT : value
}

/** Reads a number that a container's cgroup has; undefined when it has none. */
export async function readCgroupFile(
  cgroups: Cgroups,
  id: string,
  controller: string,
  file: string,
): Promise<string | undefined> {
  const folder = cgroupFolder(cgroups, id, controller)
  return folder === undefined ? undefined : readFile(`${folder}/${file}`, 'utf8').catch(() => undefined)
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
