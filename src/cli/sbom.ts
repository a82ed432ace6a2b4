import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { refuseOtherFile, requireWritableFolder } from '../files/output-file.ts'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import { writeJson } from './answer.ts'
import { type Call, clientOf, textOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const [server = ''] = call.servers
  const { file: source, session, signal } = call
  const file = textOption(call, 'output')
  const path = file === undefined ? '' : resolve(call.host.workingFolder, file)
  if (file !== undefined) {
    await refuseOtherFile(path, file, { what: 'the bill of materials', isOwn: isBill })
    // A new file; writing to one that is there, such as a pipe, needs no right for its folder.
    if (!existsSync(path)) await requireWritableFolder(path).catch((error: unknown) => refuse(file, error))
  }
  const bill = await clientOf(call).sbom(server, { source, session, signal })
  if (file !== undefined) await write(path, bill, file)
  if (file === undefined || call.json) writeJson(call, bill)
  else call.output.write(`wrote ${file}\n`)
  return 0
}

/** As any bill in this format begins. */
function isBill(start: Buffer): boolean {
  return /^\s*\{[\s\S]*"bomFormat":\s*"CycloneDX"/.test(start.toString('utf8'))
}

async function write(path: string, bill: object, named: string): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(bill, null, 2)}\n`)
  } catch (error) {
    refuse(named, error)
  }
}

function refuse(named: string, error: unknown): never {
  throw new TestfleetError('USAGE', `${named} cannot be written: ${wordFileError(error)}`, { cause: error })
}
