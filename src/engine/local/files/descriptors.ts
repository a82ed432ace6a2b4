import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs'

/**
 * Access to files by descriptors of folders, as the kernel's openat gives it: `/proc/self/fd/N/name` is `name` in the
 * opened folder N, wherever that folder is moved to. Names are single components, and are never followed. All names and
 * link targets here are bytes, one character each (latin1), because a file system may hold any bytes.
 */
const O_PATH = 0o10_000_000

/** Path of a name in an opened folder. */
export function inFolder(folder: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${folder}/${name}`, 'latin1')
}

/** Path of what an opened descriptor refers to. A call that follows links reaches exactly that. */
export function itself(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`
}

/** Opens a name without reading or following it: nothing happens to pipes, devices and links. */
export function openName(folder: number, name: string): number {
  return openSync(inFolder(folder, name), O_PATH | constants.O_NOFOLLOW)
}

/** The same; undefined when nothing has this name. */
export function openNameIfThere(folder: number, name: string): number | undefined {
  try {
    return openName(folder, name)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Opens a path of this machine, which is trusted: links in it are followed. */
export function openTrusted(path: string): number {
  return openSync(path, O_PATH)
}

export function statOf(descriptor: number): BigIntStats {
  return fstatSync(descriptor, { bigint: true })
}

/** Returns the names in a folder, sorted. */
export function namesIn(folder: number): readonly string[] {
  return readdirSync(itself(folder), { encoding: 'latin1' }).sort()
}

export function readLinkIn(folder: number, name: string): string {
  return readlinkSync(inFolder(folder, name), { encoding: 'latin1' })
}

export function closeAll(descriptors: Iterable<number | undefined>): void {
  for (const descriptor of descriptors) if (descriptor !== undefined) closeSync(descriptor)
}

/**
 * Whether something is mounted at what was opened in this folder. The kernel protects only the mounts of the caller's
 * own namespace: it would remove a name below another container's mount, and the mount with it.
 */
export function isMountedIn(folder: number, opened: number): boolean {
  return mountOf(folder) !== mountOf(opened)
}

function mountOf(descriptor: number): string | undefined {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1]
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? ''
}

/** An error of the file system that was found here and not by the kernel. */
export function fileError(code: 'ENOENT' | 'ENOTDIR' | 'ELOOP' | 'EBUSY' | 'EROFS', path: string): Error {
  return Object.assign(new Error(`${code}: ${toText(path)}`), { code })
}

/** Text that a person or a caller gave, as bytes. */
export function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Bytes as text for a person or a caller. */
export function toText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
