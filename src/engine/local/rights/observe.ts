import { constants } from 'node:fs'
import { access, open, readFile } from 'node:fs/promises'
import { arch, release } from 'node:os'
import { join } from 'node:path'
import { lastWords, PROGRAM_FOLDERS, rootMachine, runProgram } from '../programs.ts'
import { countSubordinateIds, currentUser } from '../user/subordinate-ids.ts'
import type { LocalFacts } from './facts.ts'
import { observeFolder } from './folder.ts'
import { neededPrograms } from './packages.ts'

const SYSCTLS = [
  'user/max_user_namespaces',
  'kernel/unprivileged_userns_clone',
  'kernel/apparmor_restrict_unprivileged_userns',
]

/** Longest time for a program that is run on trial. */
const TRIAL_MS = 10_000

/** Looks at everything that decides what the local engine can do. */
export async function observeFacts(
  userId: number,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<LocalFacts> {
  const [programs, sysctls, subordinate, status] = await Promise.all([
    findPrograms(),
    Promise.all(SYSCTLS.map(async (path) => [path, await readText(join('/proc/sys', path))] as const)),
    countSubordinateIds(userId, currentUser()[1]),
    readText('/proc/self/status'),
  ])
  const hasRange = subordinate.users > 0 && subordinate.groups > 0 && programs.has('newuidmap')
  const [trial, mapTrial, cgroups, tun, folderFacts] = await Promise.all([
    tryNamespaces(userId, signal),
    userId !== 0 && hasRange ? tryMap(signal) : undefined,
    observeCgroups(),
    observeTun(),
    observeFolder(folder),
  ])
  return {
    userId,
    architecture: arch(),
    kernel: release(),
    programs,
    sysctls: Object.fromEntries(sysctls),
    subordinate,
    noNewPrivileges: /^NoNewPrivs:\s*1$/m.test(status ?? ''),
    ...cgroups,
    tun,
    trial,
    mapTrial,
    folder: folderFacts,
  }
}

async function findPrograms(): Promise<ReadonlySet<string>> {
  const names = neededPrograms.flatMap((program) => program.names)
  const isThere = async (name: string): Promise<boolean> => {
    const found = await Promise.all(PROGRAM_FOLDERS.map((folder) => canAccess(join(folder, name), constants.X_OK)))
    return found.includes(true)
  }
  const found = await Promise.all(names.map(async (name) => ((await isThere(name)) ? [name] : [])))
  return new Set(found.flat())
}

/** A bridge is made, too: its kernel module may be missing, and a restricted user namespace has no rights to make one. */
function tryNamespaces(userId: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  const user = userId === 0 ? [] : ['--user', '--map-root-user']
  const bridge = ['ip', 'link', 'add', 'testfleet', 'type', 'bridge']
  return tryProgram([...user, '--mount', '--net', ...bridge], signal)
}

function tryMap(signal: AbortSignal | undefined): Promise<string | undefined> {
  return tryProgram(['--user', '--map-root-user', '--map-auto', 'true'], signal)
}

async function tryProgram(words: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
  const request = { arguments: words, signal, timeoutMs: TRIAL_MS }
  try {
    const { exitCode, stderr } = await runProgram(rootMachine, 'unshare', request)
    return exitCode === 0 ? undefined : lastWords(stderr)
  } catch (error) {
    signal?.throwIfAborted()
    return (error as Error).message
  }
}

async function observeCgroups(): Promise<Pick<LocalFacts, 'cgroups' | 'areCgroupsWritable'>> {
  const own = (await readText('/proc/self/cgroup')) ?? ''
  const isMounted = (path: string): Promise<boolean> => canAccess(join('/sys/fs/cgroup', path), constants.F_OK)
  const [hasV2, hasMemoryV1, hasHybrid] = await Promise.all(
    ['cgroup.controllers', 'memory/cgroup.procs', 'unified/cgroup.procs'].map(isMounted),
  )
  if (hasV2) return { cgroups: 'v2', areCgroupsWritable: await canAccess('/sys/fs/cgroup', constants.W_OK) }
  if (!hasMemoryV1) return { cgroups: 'none', areCgroupsWritable: false }
  const areCgroupsWritable = await canAccess('/sys/fs/cgroup/memory', constants.W_OK)
  return { cgroups: hasHybrid || /^0::/m.test(own) ? 'hybrid' : 'v1', areCgroupsWritable }
}

async function observeTun(): Promise<LocalFacts['tun']> {
  try {
    await (await open('/dev/net/tun', 'r+')).close()
    return 'usable'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'missing'
  }
}

async function canAccess(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}

async function readText(path: string): Promise<string | undefined> {
  return (await readFile(path, 'utf8').catch(() => undefined))?.trim()
}
