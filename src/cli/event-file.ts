import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getSystemErrorMessage } from 'node:util'
import type { OnTestfleetEvent } from '../api/events.ts'
import { wordError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { toJsonText } from './answer.ts'

/** Target of `--events FILE`: one JSON document a line. */
export interface EventFile {
  /** Never throws: an event that cannot be written does not end the call. */
  readonly onEvent: OnTestfleetEvent
  /** Returns why events are missing; undefined when all were written. */
  close(): Promise<string | undefined>
}

interface Writer {
  /** Throws, or calls `onError`. */
  write(line: string): void
  close(): Promise<void>
}

/** Time within which a reader that is started together with testfleet opens its FIFO. */
const FIFO_TIMEOUT_MS = 10_000
const FIFO_LOOK_MS = 50
/** A reader that does not read is given up after this time, or with this number of unread bytes. */
const DRAIN_TIMEOUT_MS = 10_000
const MOST_UNREAD_BYTES = 64 * 1024 * 1024

/**
 * Opens a file for events: it is created for its user alone, or appended to. It can be a FIFO or a descriptor such as
 * /dev/fd/3. Fails with USAGE, before anything is touched.
 */
export async function openEventFile(
  file: string,
  { workingFolder, userId }: Pick<Host, 'workingFolder' | 'userId'>,
  signal: AbortSignal,
): Promise<EventFile> {
  let failure: string | undefined
  const fail = (error: unknown): void => {
    failure ??= wordReason(error)
  }
  try {
    const path = resolve(workingFolder, file)
    if (file === '') throw new Error('it is not a file name')
    refuseForeignLink(path, userId)
    refuseOtherContent(path)
    const writer = isFifo(path) ? await openFifo(path, fail, signal) : openFile(path)
    return {
      onEvent(event) {
        if (failure !== undefined) return
        try {
          writer.write(`${toJsonText(event)}\n`)
        } catch (error) {
          fail(error)
        }
      },
      async close() {
        await writer.close().catch(fail)
        return failure
      },
    }
  } catch (error) {
    signal.throwIfAborted()
    throw new TestfleetError('USAGE', `events cannot be written to ${JSON.stringify(file)}: ${wordReason(error)}`, {
      hint: 'Name a file in a folder that exists, a FIFO that is read, or a descriptor such as /dev/fd/3.',
    })
  }
}

function wordReason(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException
  return errno === undefined ? wordError(error) : getSystemErrorMessage(errno)
}

/** In a folder such as /tmp, another user could link this name to a file of ours. */
function refuseForeignLink(path: string, userId: number | undefined): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink() !== true || userId === undefined) return
  if (stats.uid !== userId && stats.uid !== 0) throw new Error('it is a link of another user')
}

/** Appending to a fleet file would break it. A descriptor may lead to a file that other programs write, too. */
function refuseOtherContent(path: string): void {
  if (/^\/(?:dev|proc)\//.test(path)) return
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() !== true || stats.size === 0) return
  const start = Buffer.alloc(EVENT_START.length)
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    readSync(descriptor, start)
  } finally {
    closeSync(descriptor)
  }
  if (start.toString() !== EVENT_START) throw new Error('it has something other than events')
}

const EVENT_START = '{"time":"'

function isFifo(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true
}

const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants

function openFile(path: string): Writer {
  const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0o600)
  if (fstatSync(descriptor).isBlockDevice()) {
    closeSync(descriptor)
    throw new Error('it is a block device')
  }
  return {
    write(line) {
      const bytes = Buffer.from(line)
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
    },
    async close() {
      closeSync(descriptor)
    },
  }
}

async function openFifo(path: string, onError: (error: unknown) => void, signal: AbortSignal): Promise<Writer> {
  const socket = new Socket({ fd: await waitForReader(path, signal), readable: false, writable: true })
  socket.on('error', onError)
  return {
    write(line) {
      if (socket.writableLength > MOST_UNREAD_BYTES) throw new Error('its reader is too slow')
      socket.write(line)
    },
    async close() {
      const closed = new Promise<void>((done) => void socket.once('close', done))
      socket.end(() => socket.destroy())
      const isLate = await Promise.race([closed, sleep(DRAIN_TIMEOUT_MS, true, { ref: false })])
      if (isLate !== true) return
      socket.destroy()
      throw new Error('its reader does not read')
    },
  }
}

/** Opening a FIFO without a reader would block the whole program, so opening is tried repeatedly. */
async function waitForReader(path: string, signal: AbortSignal): Promise<number> {
  const giveUpAt = performance.now() + FIFO_TIMEOUT_MS
  for (;;) {
    try {
      return openSync(path, O_WRONLY | O_NONBLOCK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
      if (performance.now() > giveUpAt) throw new Error('nobody reads it')
    }
    await sleep(FIFO_LOOK_MS, undefined, { signal })
  }
}
