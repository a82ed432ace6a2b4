import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LocalStore } from './local-store.ts'

/** Everything of one store that runs or is mounted, or is known to the kernel. */
export interface Traces {
  readonly processes: readonly string[]
  readonly mounts: readonly string[]
  /** Network namespaces, bridges, control groups, tables of rules for packets. */
  readonly names: readonly string[]
}

/** Ids of containers and networks that a store has. */
export async function readIds({ folder }: LocalStore): Promise<readonly string[]> {
  const list = async (name: string) => (await readdir(join(folder, name)).catch(() => [])).filter(isId)
  return [...(await list('containers')), ...(await list('networks'))]
}

/** Looks for what belongs to a store, or to one of these ids. */
export async function findTraces({ folder }: LocalStore, ids: readonly string[]): Promise<Traces> {
  const isOwn = (text: string): boolean => text.includes(folder) || ids.some((id) => text.includes(id.slice(0, 12)))
  const mounts = await readFile('/proc/self/mountinfo', 'utf8')
  const names = [
    ...(await readdir('/run/netns').catch(() => [])),
    ...Object.keys(networkInterfaces()),
    ...(await readdir('/sys/class/net')),
    ...(await listCgroups()),
    ...(await listTables()),
  ]
  return {
    processes: (await listProcesses()).filter(isOwn),
    mounts: mounts.split('\n').filter(isOwn),
    names: [...new Set(names.filter(isOwn))],
  }
}

function isId(name: string): boolean {
  return /^[0-9a-f]{12,}$/.test(name)
}

async function listProcesses(): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  // One may end meanwhile.
  const words = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return words.map((line) => line.replaceAll('\0', ' ').trim())
}

async function listCgroups(): Promise<string[]> {
  const root = '/sys/fs/cgroup'
  const mounts = [root, ...(await readdir(root).catch(() => [])).map((name) => join(root, name))]
  const folders = await Promise.all(mounts.map((mount) => readdir(join(mount, 'testfleet')).catch(() => [])))
  return folders.flat()
}

async function listTables(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('/usr/sbin/nft', ['list', 'tables'])
  return stdout.split('\n')
}
