import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** Where `--bundle` wants the archive, as an absolute path. Fails with USAGE when no file can be there. */
export async function resolveArchive(file: string, { workingFolder }: Host): Promise<string> {
  const path = resolve(workingFolder, file)
  const refuse = (why: string): TestfleetError =>
    new TestfleetError('USAGE', `the failure bundle cannot go to ${JSON.stringify(file)}: ${why}`, {
      hint: 'Name a file, such as failure.tar.gz, in a folder that is there.',
    })
  if (file === '' || file.endsWith('/')) throw refuse('that is no name of a file')
  const parent = await stat(dirname(path)).catch(() => undefined)
  if (parent?.isDirectory() !== true) throw refuse('there is no such folder')
  const there = await stat(path).catch(() => undefined)
  if (there !== undefined && !there.isFile()) throw refuse('what is there is not a file')
  return path
}
