import { Testfleet } from '../api/testfleet.ts'
import { writeJson } from './answer.ts'
import { type Call, textOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const { config, isMasked } = await new Testfleet({ folder: call.host.workingFolder }).config(call.file)
  if ((textOption(call, 'format') ?? (call.json ? 'json' : 'yaml')) === 'json') {
    writeJson(call, config)
    return 0
  }
  const { stringify } = await import('yaml')
  const note = isMasked ? '# Secrets in plain text are shown as ***.\n' : ''
  // Also quotes words such as `no`, to which older YAML readers give another type.
  const text = note + stringify(config, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' })
  if (process.stdout.isTTY) call.output.write(text)
  else call.output.writeData(text)
  return 0
}
