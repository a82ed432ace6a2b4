import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ServerChange } from '../runtime.ts'

/** Events of a session that lived for very long: older ones are left out. */
const MOST_BYTES = 8 * 1024 * 1024

/**
 * The events of one session's servers, which their supervisors append to a file. The file is removed with the session, so
 * this object remembers what it has read, and keeps the file open while somebody follows it.
 */
export class EventFile {
  readonly #path: string
  readonly #changes: ServerChange[] = []
  #file: number | undefined
  #position = 0
  #followers = 0

  constructor(path: string) {
    this.#path = path
  }

  /** Keeps the file open until the returned function is called. That function reads what is still unread. */
  hold(): () => void {
    this.#followers += 1
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.read()
      this.#followers -= 1
      this.#close()
    }
  }

  /** Returns everything that has happened, in the order in which it was written. The list grows in place. */
  read(): readonly ServerChange[] {
    this.#file ??= open(this.#path)
    if (this.#file === undefined) return this.#changes
    const size = fstatSync(this.#file).size
    const isCut = size - this.#position > MOST_BYTES
    if (isCut) this.#position = size - MOST_BYTES
    const buffer = Buffer.alloc(size - this.#position)
    const bytes = buffer.subarray(0, readSync(this.#file, buffer, 0, buffer.length, this.#position))
    const end = bytes.lastIndexOf(10) + 1
    this.#position += end
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
    this.#changes.push(...lines.slice(isCut ? 1 : 0).flatMap((line) => parse(line) ?? []))
    this.#close()
    return this.#changes
  }

  #close(): void {
    if (this.#followers > 0 || this.#file === undefined) return
    closeSync(this.#file)
    this.#file = undefined
  }
}

/** Undefined for a line of which only a part was written, as on a full disk. */
function parse(line: string): ServerChange | undefined {
  try {
    return JSON.parse(line) as ServerChange
  } catch {
    return undefined
  }
}

/** Undefined while no server has been created yet, and after the session's end. */
function open(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
