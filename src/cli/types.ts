import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Testfleet } from '../api/testfleet.ts'
import { refuseOtherFile } from '../files/output-file.ts'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import { answer } from './answer.ts'
import { type Call, textOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const file = textOption(call, 'output')
  // A mistyped name must not replace a fleet file or a program.
  if (file !== undefined && !/[^/\\]\.d\.[cm]?ts$/.test(file))
    throw new TestfleetError('USAGE', `--output takes a file that ends with .d.ts, not ${JSON.stringify(file)}`)
  const path = resolve(call.host.workingFolder, file ?? '')
  if (file !== undefined) await refuseOtherFile(path, file, { what: 'the declaration', isOwn: isDeclaration })
  const types = await new Testfleet({ folder: call.host.workingFolder }).types(call.file)
  if (file === undefined) return answer(call, { types }, types)
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, types)
  } catch (error) {
    throw new TestfleetError('USAGE', `${file} cannot be written: ${wordFileError(error)}`, { cause: error })
  }
  return answer(call, { file: path }, `wrote ${file}\n`)
}

function isDeclaration(start: Buffer): boolean {
  return start.toString('utf8').startsWith('// Written by `testfleet types`')
}
