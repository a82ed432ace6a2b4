import { lstat, realpath } from 'node:fs/promises'
import { relative } from 'node:path'
import { isInside } from '../formats/paths.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Position } from '../model/fleet.ts'
import { type Opened, withOpened } from './open-inside.ts'

/** The bytes of an open file, from its start. */
export function readOpened({ handle }: Opened): AsyncIterable<Buffer> {
  return handle.createReadStream({ autoClose: false, start: 0 })
}

export interface InsideRequest {
  /** The fleet's folder: the path must not lead out of it, */
  readonly folder: string
  /** unless it may. */
  readonly mayLeave: boolean
  readonly maxBytes: number
  readonly at?: Position | undefined
}

/**
 * A small file's text. Fails with FLEET_FILE_INVALID for what is too large, no file, or elsewhere; with CONTEXT_CHANGED
 * for what becomes so while it is read.
 */
export async function readTextInside(path: string, request: InsideRequest): Promise<string> {
  const { folder, mayLeave, maxBytes } = request
  const [real, root] = await Promise.all([realpath(path), realpath(folder)])
  if (!mayLeave && !isInside(real, root))
    throw refuse(path, "leads out of the fleet's folder; `outside: true` allows it", request)
  if (!(await lstat(real)).isFile()) throw refuse(path, 'is not a file', request)
  return withOpened(real, 'file', mayLeave ? [root, real] : [root], async (opened) => {
    const chunks: Buffer[] = []
    let sizeBytes = 0
    for await (const chunk of readOpened(opened)) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw refuse(path, `is too large; it can have at most ${maxBytes} bytes`, request)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  })
}

function refuse(path: string, why: string, { folder, at }: InsideRequest): TestfleetError {
  return new TestfleetError('FLEET_FILE_INVALID', `${relative(folder, path)} ${why}`, { at })
}
