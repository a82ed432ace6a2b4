import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'rolldown/utils'
import { root } from '../run.ts'

/** The oldest Node that package.json allows, as a target such as `node22.18`. */
export function oldestNode(): string {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const version = /^>=(\d+\.\d+)$/.exec(engines.node)?.[1]
  if (version === undefined)
    throw new Error(`package.json must say the oldest Node as >=MAJOR.MINOR, not ${engines.node}`)
  return `node${version}`
}

/** Whether a program has syntax that the oldest Node does not know, so that it does not even load there. */
export function hasTooNewSyntax(fileName: string, code: string): boolean {
  const write = (target: string): string => {
    const { code: written, errors } = transformSync(fileName, code, { target, sourcemap: false })
    if (errors.length > 0) throw new Error(`${fileName}: ${errors[0]?.message}`)
    return written
  }
  return write(oldestNode()) !== write('esnext')
}
