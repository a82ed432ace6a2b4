import { TestfleetError } from '../model/failures.ts'
import type { Position } from '../model/fleet.ts'

/** More than this is hardly ever meant: a folder of packages or of results has come along. */
const LIMITS = { files: 200_000, bytes: 10 * 1024 ** 3 }
const NAMED_FOLDERS = 3

export interface ContextSize {
  /** Counts a file of the context. `folder` is what to name when there are too many, or too large ones. */
  add(folder: string, bytes: number, at: Position | undefined): void
}

/** How large one build's context has become. `add` fails with FLEET_FILE_INVALID once that is too much. */
export function countContext(limits = LIMITS): ContextSize {
  const folders = new Map<string, { files: number; bytes: number }>()
  let files = 0
  let bytes = 0
  return {
    add(folder, fileBytes, at) {
      files += 1
      bytes += fileBytes
      const one = folders.get(folder) ?? { files: 0, bytes: 0 }
      folders.set(folder, { files: one.files + 1, bytes: one.bytes + fileBytes })
      if (files > limits.files) {
        throw tooLarge(`more than ${limits.files} files`, nameLargest(folders, 'files', String), at)
      }
      if (bytes > limits.bytes) {
        throw tooLarge(`more than ${formatBytes(limits.bytes)}`, nameLargest(folders, 'bytes', formatBytes), at)
      }
    },
  }
}

function nameLargest(
  folders: ReadonlyMap<string, { files: number; bytes: number }>,
  by: 'files' | 'bytes',
  format: (value: number) => string,
): string {
  return [...folders]
    .sort(([, a], [, b]) => b[by] - a[by])
    .slice(0, NAMED_FOLDERS)
    .map(([folder, size]) => `${folder} (${format(size[by])})`)
    .join(', ')
}

function tooLarge(what: string, largest: string, at: Position | undefined): TestfleetError {
  return new TestfleetError('FLEET_FILE_INVALID', `what is copied has ${what}, so far most of them from ${largest}`, {
    at,
    hint: 'Copy only the files and folders that the server needs; beside a Dockerfile of your own, `.dockerignore` keeps the others out.',
  })
}

function formatBytes(bytes: number): string {
  const unit = [1024 ** 3, 1024 ** 2, 1024].find((size) => bytes >= size) ?? 1
  const words: Record<number, string> = { [1024 ** 3]: 'GiB', [1024 ** 2]: 'MiB', 1024: 'KiB', 1: 'bytes' }
  return `${Math.round((bytes / unit) * 10) / 10} ${words[unit]}`
}
