import { appendFile, mkdir, mkdtemp, open, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { wordFileError } from '../../formats/word-error.ts'
import { isFailure } from '../../model/failures.ts'

/**
 * A new folder that only its owner may enter. A file that cannot be written is reported, and the others are still
 * written.
 */
export interface BundleFolder {
  readonly path: string
  /** `file` is a relative path with slashes, made of validated names only. */
  save(file: string, text: string | (() => Promise<string>)): Promise<void>
  append(file: string, text: string): Promise<void>
  /** Saves content that is too long for memory. */
  saveLines(file: string, lines: AsyncIterable<string>): Promise<void>
}

/** Creates the folder. `name` consists of letters, digits and dashes. */
export async function openBundleFolder(
  parent: string,
  name: string,
  onProblem: (file: string, error: unknown) => void,
): Promise<BundleFolder> {
  const path = await mkdtemp(join(parent, `testfleet-${name}-`)).catch((error: unknown) => {
    throw new Error(`${parent}: ${describeProblem(error)}`, { cause: error })
  })
  const attempt = async (file: string, write: (target: string) => Promise<void>): Promise<void> => {
    const target = join(path, file)
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      await write(target)
    } catch (error) {
      onProblem(file, error)
    }
  }
  return {
    path,
    save: (file, text) =>
      attempt(file, async (target) =>
        writeFile(target, typeof text === 'string' ? text : await text(), { mode: 0o600 }),
      ),
    append: (file, text) => attempt(file, (target) => appendFile(target, text, { mode: 0o600 })),
    saveLines: (file, lines) => attempt(file, (target) => writeLines(target, lines)),
  }
}

const FLUSH_LENGTH = 1_000_000

/** Lines before an error stay in the file. */
async function writeLines(target: string, lines: AsyncIterable<string>): Promise<void> {
  const file = await open(target, 'w', 0o600)
  let pending = ''
  const flush = async (): Promise<void> => {
    const text = pending
    pending = ''
    await file.writeFile(text)
  }
  try {
    try {
      for await (const line of lines) {
        pending += `${line}\n`
        if (pending.length > FLUSH_LENGTH) await flush()
      }
    } finally {
      await flush()
    }
  } finally {
    await file.close()
  }
}

/** Explains in a few words why something is not in the bundle. */
export function describeProblem(error: unknown): string {
  if (isFailure(error)) return error.message
  if (error instanceof Error && error.name === 'TimeoutError') return 'there was not enough time'
  return wordFileError(error)
}
