import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import { writeJson } from './answer.ts'
import { type Call, clientOf, textOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const [server = ''] = call.servers
  const { file: source, session, signal } = call
  const file = textOption(call, 'output')
  const bill = await clientOf(call).sbom(server, { source, session, signal })
  if (file !== undefined) await write(resolve(call.host.workingFolder, file), bill, file)
  if (file === undefined || call.json) writeJson(call, bill)
  else call.output.write(`wrote ${file}\n`)
  return 0
}

async function write(path: string, bill: object, named: string): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(bill, null, 2)}\n`)
  } catch (error) {
    throw new TestfleetError('USAGE', `${named} cannot be written: ${wordFileError(error)}`, { cause: error })
  }
}
