import { isAbsolute, relative, sep } from 'node:path'

/** Whether `path` is `root` or below it. Both are absolute, with their links resolved. */
export function isInside(path: string, root: string): boolean {
  const way = relative(root, path)
  return !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
}

/** `path` from `folder` on, with slashes on every system; empty for the folder itself. */
export function slashPath(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/')
}

/** `path` as messages show it: from `folder` on where it is inside, else whole. */
export function showPath(path: string, folder: string): string {
  return isInside(path, folder) ? relative(folder, path) : path
}

/** Whether it is an absolute path of a container, without control characters and `..`. */
export function isContainerPath(path: string): boolean {
  return path.startsWith('/') && isPath(path) && !path.split('/').includes('..')
}

/** Whether it can be a path of this machine: only the characters that no system accepts are refused. */
export function isHostPath(path: string): boolean {
  return path.length > 0 && isPath(path)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const PRINTABLE = /^[^\u0000-\u001f\u007f\u2028\u2029]*$/u

function isPath(path: string): boolean {
  return path.length <= 4096 && PRINTABLE.test(path) && path.isWellFormed()
}
