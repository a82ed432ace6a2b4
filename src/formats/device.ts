import { isContainerPath } from './paths.ts'

/** A device of the engine's machine, and where a server has it. */
export interface Device {
  readonly host: string
  readonly container: string
  /** Of `r`, `w` and `m` (mknod), those that it may do. */
  readonly permissions: string
}

const PERMISSIONS = /^(?!.*(.).*\1)[rwm]{1,3}$/

/** `HOST`, `HOST:CONTAINER`, `HOST:rw` or `HOST:CONTAINER:rw`, as the docker command has it; undefined for anything else. */
export function readDevice(text: string): Device | undefined {
  const [host = '', ...rest] = text.split(':')
  const permissions = PERMISSIONS.test(rest.at(-1) ?? '') ? rest.pop() : undefined
  const [container = host, ...more] = rest
  const isRight = isContainerPath(host) && isContainerPath(container) && more.length === 0
  return isRight ? { host, container, permissions: permissions ?? 'rwm' } : undefined
}
