import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Device } from '../../../formats/device.ts'
import { TestfleetError } from '../../../model/failures.ts'

/** Device nodes of a container, and what it may do with them. */
export interface OciDevices {
  readonly nodes: readonly object[]
  readonly rules: readonly object[]
}

interface Node {
  readonly path: string
  readonly type: 'c' | 'b'
  readonly major: number
  readonly minor: number
  readonly fileMode: number
  readonly uid: number
  readonly gid: number
}

/** Folders of /dev that a container has of its own. */
const OWN_FOLDERS = ['pts', 'shm', 'mqueue', 'fd']

/** Nodes that the runtime makes in every container. */
const USUAL = /^\/dev\/(?:null|zero|full|tty|random|urandom|console|ptmx|stdin|stdout|stderr)$/

const DENY_ALL = { allow: false, access: 'rwm' }

/** Looks up the devices of a container; a privileged one has all of the machine. START_FAILED when one does not exist. */
export async function devicesOf(devices: readonly Device[], isPrivileged: boolean): Promise<OciDevices> {
  if (isPrivileged) {
    const nodes = await listNodes('/dev', '/dev', 0)
    return { nodes: nodes.filter(({ path }) => !USUAL.test(path)), rules: [{ allow: true, access: 'rwm' }] }
  }
  const found = await Promise.all(
    devices.map(async ({ host, container, permissions }) => {
      const nodes = await findNodes(host, container)
      return {
        nodes,
        rules: nodes.map(({ type, major, minor }) => ({ allow: true, type, major, minor, access: permissions })),
      }
    }),
  )
  return { nodes: found.flatMap(({ nodes }) => nodes), rules: [DENY_ALL, ...found.flatMap(({ rules }) => rules)] }
}

async function findNodes(host: string, container: string): Promise<readonly Node[]> {
  const nodes = await listNodes(host, container, 0).catch((error: NodeJS.ErrnoException) => {
    throw noDevice(host, error.code === 'ENOENT' ? 'it does not exist' : error.message)
  })
  if (nodes.length === 0) throw noDevice(host, 'it is not a device')
  return nodes
}

function noDevice(path: string, why: string): TestfleetError {
  return new TestfleetError('START_FAILED', `the container could not be started: no device ${path}: ${why}`)
}

const DEEPEST = 8

async function listNodes(host: string, container: string, depth: number): Promise<readonly Node[]> {
  const stats = await stat(host)
  if (stats.isDirectory()) {
    const names = await readdir(host)
    const inner = names.filter((name) => depth < DEEPEST && !(host === '/dev' && OWN_FOLDERS.includes(name)))
    const read = (name: string) => listNodes(join(host, name), join(container, name), depth + 1).catch(() => [])
    return (await Promise.all(inner.map(read))).flat()
  }
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return []
  const type = stats.isBlockDevice() ? 'b' : 'c'
  const owner = { fileMode: stats.mode & 0o777, uid: stats.uid, gid: stats.gid }
  return [{ path: container, type, ...numbersOf(stats.rdev), ...owner }]
}

/** Linux puts the twelve bits of the major number between the bits of the minor one. */
function numbersOf(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) }
}
