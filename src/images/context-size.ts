import { TestfleetError } from '../model/failures.ts'
import type { Position } from '../model/fleet.ts'

/** More than this is hardly ever meant: a folder of packages or of results has come along. */
const LIMITS = { files: 200_000, bytes: 10 * 1024 ** 3 }
const NAMED_FOLDERS = 3

export interface ContextSize {
  /** Counts a file of the context. `folder` is what to name when there are too many, or too large ones. */
  add(folder: string, bytes: number, at: Position | undefined): void
}

type Size = Record<keyof typeof LIMITS, number>

/** How large one build's context has become. `add` fails with FLEET_FILE_INVALID once that is too much. */
export function countContext(limits: Size = LIMITS): ContextSize {
  const folders = new Map<string, Size>()
  const total = { files: 0, bytes: 0 }
  const nameLargest = (by: keyof Size, format: (value: number) => string): string => {
    const largest = [...folders].sort(([, a], [, b]) => b[by] - a[by]).slice(0, NAMED_FOLDERS)
    return largest.map(([folder, size]) => `${folder} (${format(size[by])})`).join(', ')
  }
  return {
    add(folder, bytes, at) {
      const one = folders.get(folder) ?? { files: 0, bytes: 0 }
      folders.set(folder, one)
      for (const size of [one, total]) {
        size.files += 1
        size.bytes += bytes
      }
      if (total.files > limits.files) throw tooLarge(`${limits.files} files`, nameLargest('files', String), at)
      if (total.bytes > limits.bytes) throw tooLarge(formatBytes(limits.bytes), nameLargest('bytes', formatBytes), at)
    },
  }
}

function tooLarge(limit: string, largest: string, at: Position | undefined): TestfleetError {
  const message = `what is copied has more than ${limit}, so far most of them from ${largest}`
  return new TestfleetError('FLEET_FILE_INVALID', message, {
    at,
    hint: 'Copy only the files and folders that the server needs; beside a Dockerfile of your own, `.dockerignore` keeps the others out.',
  })
}

function formatBytes(bytes: number): string {
  const power = [1, 2, 3].findLast((exponent) => bytes >= 1024 ** exponent) ?? 0
  return `${Math.round((bytes / 1024 ** power) * 10) / 10} ${['bytes', 'KiB', 'MiB', 'GiB'][power]}`
}
