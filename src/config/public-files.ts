import { isBlock } from '../formats/block.ts'
import type { Preset } from './read-preset.ts'

/**
 * Returns the files of a preset's image that a fleet file can replace or add: those that the preset or its options put
 * among configuration and programs, and others that its server reads. `*` stands for any text in a name.
 */
export function listPublicFiles({ server, configuration }: Preset): string[] {
  const { reads = [] } = configuration ?? {}
  const copied = isBlock(server.build) ? branchesOf(server.build.copy) : []
  const paths = copied.flatMap((item) => (isBlock(item) && typeof item.to === 'string' ? [item.to] : []))
  const own = paths.filter((path) => /^\/(?:etc|usr\/local)\//.test(path))
  const more = own.filter((path) => !reads.some((pattern) => fits(path, pattern) || pattern === `${path}/*`))
  return [...new Set([...more, ...reads])]
}

/** Returns whether a path is that of a public file. */
export function fits(path: string, pattern: string): boolean {
  const [start = '', end] = pattern.split('*')
  if (end === undefined) return path === pattern
  const isLong = path.length >= start.length + end.length
  return isLong && path.startsWith(start) && path.endsWith(end) && !path.slice(start.length).includes('/')
}

/** Returns the items of a preset's list, with both branches of each choice. */
export function branchesOf(list: unknown): unknown[] {
  if (!Array.isArray(list)) return list === undefined ? [] : [list]
  return list.flatMap((item) => (isBlock(item) && 'if' in item ? branchesOf([item.then, item.else].flat()) : [item]))
}
