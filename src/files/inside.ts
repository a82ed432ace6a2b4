import { isAbsolute, relative, sep } from 'node:path'

/** Whether `path` is `root` or below it. Both must have their links resolved. */
export function isInside(path: string, root: string): boolean {
  const way = relative(root, path)
  return !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
}
