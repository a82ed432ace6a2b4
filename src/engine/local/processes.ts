import { readFile, readlink } from 'node:fs/promises'

/** A process of this machine, told apart from a later one with the same id. */
export interface ProcessMark {
  readonly pid: number
  /** Start of the process, in clock ticks since the start of the machine. */
  readonly startedAt: string
  /** Id of the start of the machine. */
  readonly boot: string
}

/** Marks a process; undefined when none of that id runs, or when it has ended and only its parent does not know yet. */
export async function markProcess(pid: number): Promise<ProcessMark | undefined> {
  const [startedAt, boot] = await Promise.all([readStart(pid), readBoot()])
  return startedAt === undefined ? undefined : { pid, startedAt, boot }
}

/** Whether this very process still runs. */
export async function isRunning({ pid, startedAt, boot }: ProcessMark): Promise<boolean> {
  if ((await readBoot()) !== boot) return false
  return (await readStart(pid)) === startedAt
}

/** Marks the process that runs this code. */
export async function markSelf(): Promise<ProcessMark> {
  self ??= readlink('/proc/self').then(async (pid) => {
    const mark = await markProcess(Number(pid))
    if (mark === undefined) throw new Error('/proc does not show this process')
    return mark
  })
  return self
}

let self: Promise<ProcessMark> | undefined
let boot: Promise<string> | undefined

function readBoot(): Promise<string> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim())
  return boot
}

/** The program's name, in brackets, may have any character; the state is the 3rd field, the start the 22nd. */
async function readStart(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}
