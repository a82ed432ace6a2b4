import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Host } from '../model/host.ts'

/** An open descriptor of this process, as /proc shows it. */
export interface Descriptor {
  readonly number: number
  /** Target, such as `pipe:[4711]`, or a path. */
  readonly target: string
  /** Flags of open(2). */
  readonly flags: number
}

const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000

/**
 * Returns the descriptors beyond standard error that the caller has opened for its command, in ascending order. Must be
 * called before anything is opened here. Node marks the first ones so that no child process gets them; others are
 * inherited anyway.
 */
export function listHandedDescriptors({ environment }: Pick<Host, 'environment'>): readonly number[] {
  try {
    const numbers = readdirSync('/proc/self/fd').map(Number)
    return chooseHanded(
      numbers.flatMap((number) => readDescriptor(number)),
      findJobServer(environment),
    )
  } catch {
    // Systems other than Linux.
    return []
  }
}

function readDescriptor(number: number): Descriptor[] {
  try {
    const target = readlinkSync(`/proc/self/fd/${number}`)
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${number}`, 'utf8'))?.[1]
    return [{ number, target, flags: Number.parseInt(flags ?? '0', 8) }]
  } catch {
    // The descriptor of the listing itself.
    return []
  }
}

/**
 * Removes descriptors that Node has opened for itself: event queues, /dev/null, and pipes with both ends in this
 * process. The job server of make is also such a pipe, and make names it.
 */
export function chooseHanded(descriptors: readonly Descriptor[], jobServer: readonly number[]): readonly number[] {
  const isOwn = ({ number, target, flags }: Descriptor): boolean => {
    if (jobServer.includes(number)) return false
    if (target === '/dev/null' || target.startsWith('anon_inode:')) return true
    const others = descriptors.filter((other) => other.number !== number && other.target === target)
    // Both ends of a pipe of Node have the same mode: blocking or not.
    return target.startsWith('pipe:') && others.some((other) => (other.flags & O_NONBLOCK) === (flags & O_NONBLOCK))
  }
  const handed = descriptors.filter((one) => one.number > 2 && (one.flags & O_CLOEXEC) !== 0 && !isOwn(one))
  return handed.map(({ number }) => number).sort((a, b) => a - b)
}

/** Reads `--jobserver-auth=3,4` from MAKEFLAGS; make 4.4 names a file instead. */
export function findJobServer(environment: Host['environment']): readonly number[] {
  const flags = [environment.MAKEFLAGS, environment.CARGO_MAKEFLAGS].join(' ')
  return [...flags.matchAll(/--jobserver-(?:auth|fds)=(\d{1,6}),(\d{1,6})/g)].flatMap((pair) =>
    pair.slice(1).map(Number),
  )
}

type Stdio = number | 'inherit' | 'ignore' | 'pipe'

/**
 * Returns `stdio` for a program that gets these descriptors, under their own numbers, and the standard streams. With an
 * `output` of its own, it has no standard input.
 */
export function toStdio(descriptors: readonly number[], output?: readonly [Stdio, Stdio]): Stdio[] {
  const stdio: Stdio[] = output === undefined ? ['inherit', 'inherit', 'inherit'] : ['ignore', ...output]
  for (let number = 3; number <= (descriptors.at(-1) ?? 2); number += 1)
    stdio.push(descriptors.includes(number) ? number : 'ignore')
  return stdio
}
