import { realpathSync } from 'node:fs'
import { basename } from 'node:path'

/** Finds a program of the system. Undefined without it, and when it is a part of busybox, which has fewer options. */
export function findTool(name: string): string | undefined {
  return [`/usr/bin/${name}`, `/bin/${name}`].find((path) => {
    try {
      return basename(realpathSync(path)) === name
    } catch {
      return false
    }
  })
}
