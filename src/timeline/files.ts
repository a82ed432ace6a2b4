import { open } from 'node:fs/promises'
import { getSystemErrorMessage } from 'node:util'
import { resolveOutputFile } from '../files/output-file.ts'
import { replaceFile } from '../files/replace-file.ts'
import { wordError } from '../formats/word-error.ts'
import type { Host } from '../model/host.ts'

/** Returns the absolute path of a timeline. Fails with USAGE when no file can be created there. */
export function resolveTimeline(file: string, host: Pick<Host, 'workingFolder'>): Promise<string> {
  return resolveOutputFile(file, { what: 'the timeline', example: 'timeline.html', isOwn: isTimeline }, host)
}

/** The page has a title of testfleet near its start; other programs begin a trace in another way. */
function isTimeline(start: Buffer): boolean {
  const text = start.toString('utf8')
  return (
    (text.startsWith('<!doctype html>') && text.includes('<title>testfleet ')) ||
    text.startsWith('{"displayTimeUnit":"ms","otherData":{"summary":')
  )
}

/** Replaces the file, for its user alone. Returns why it could not be written. */
export async function saveTimeline(path: string, text: string): Promise<string | undefined> {
  try {
    await replaceFile(path, async (beside) => {
      await using handle = await open(beside, 'wx', 0o600)
      await handle.writeFile(text)
    })
    return undefined
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException
    return errno === undefined ? wordError(error) : getSystemErrorMessage(errno)
  }
}
