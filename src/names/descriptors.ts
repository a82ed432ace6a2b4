import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Host } from '../model/host.ts'

/** An open descriptor of this process, as /proc shows it. */
export interface Descriptor {
  readonly number: number
  /** Such as `pipe:[4711]`, or a path. */
  readonly target: string
  /** Those of open(2). */
  readonly flags: number
}

const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000

/**
 * The descriptors beyond standard error that the caller has opened for its command, in rising order. Call it before
 * anything is opened here. Node marks the first ones so that no program gets them; others are inherited by themselves.
 */
export function listHandedDescriptors({ environment }: Pick<Host, 'environment'>): readonly number[] {
  try {
    const numbers = readdirSync('/proc/self/fd').map(Number)
    return chooseHanded(
      numbers.flatMap((number) => readDescriptor(number)),
      findJobServer(environment),
    )
  } catch {
    // Another system than Linux.
    return []
  }
}

function readDescriptor(number: number): Descriptor[] {
  try {
    const target = readlinkSync(`/proc/self/fd/${number}`)
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${number}`, 'utf8'))?.[1]
    return [{ number, target, flags: Number.parseInt(flags ?? '0', 8) }]
  } catch {
    // That of the listing itself.
    return []
  }
}

/**
 * Leaves out what Node has opened for itself: event queues, /dev/null, and pipes of which both ends are here. A job server
 * of make is such a pipe, too, and make says which.
 */
export function chooseHanded(descriptors: readonly Descriptor[], jobServer: readonly number[]): readonly number[] {
  const isOwn = ({ number, target, flags }: Descriptor): boolean => {
    if (jobServer.includes(number)) return false
    if (target === '/dev/null' || target.startsWith('anon_inode:')) return true
    const others = descriptors.filter((other) => other.number !== number && other.target === target)
    // Node's pairs are of one kind: both ends wait, or neither does.
    return target.startsWith('pipe:') && others.some((other) => (other.flags & O_NONBLOCK) === (flags & O_NONBLOCK))
  }
  const handed = descriptors.filter((one) => one.number > 2 && (one.flags & O_CLOEXEC) !== 0 && !isOwn(one))
  return handed.map(({ number }) => number).sort((a, b) => a - b)
}

/** `--jobserver-auth=3,4` in MAKEFLAGS; make 4.4 names a file instead. */
export function findJobServer(environment: Host['environment']): readonly number[] {
  const flags = [environment.MAKEFLAGS, environment.CARGO_MAKEFLAGS].join(' ')
  return [...flags.matchAll(/--jobserver-(?:auth|fds)=(\d{1,6}),(\d{1,6})/g)].flatMap((pair) =>
    pair.slice(1).map(Number),
  )
}

/** `stdio` of a program that gets the standard streams and these descriptors, each under its own number. */
export function toStdio(descriptors: readonly number[]): (number | 'inherit' | 'ignore')[] {
  const stdio = Array.from({ length: (descriptors.at(-1) ?? 2) + 1 }, (_, number) =>
    number < 3 ? 'inherit' : 'ignore',
  )
  return stdio.map((kind, number) => (descriptors.includes(number) ? number : (kind as 'inherit' | 'ignore')))
}
