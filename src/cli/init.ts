import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { Testfleet } from '../api/testfleet.ts'
import { NAME } from '../formats/grammar.ts'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import { answer } from './answer.ts'
import type { Call } from './call.ts'
import { formatPresetFleet, type PresetServer, starterFleet } from './starter-fleet.ts'

export async function run(call: Call): Promise<number> {
  const name = call.file ?? 'testfleet.yaml'
  const path = resolve(call.host.workingFolder, name)
  if (!/\.ya?ml$/.test(name)) throw new TestfleetError('USAGE', `init writes YAML, and ${name} does not end with .yaml`)
  const servers = await findServers(call)
  try {
    // `wx` creates the file or fails, so an existing file is never overwritten.
    await writeFile(path, servers.length === 0 ? starterFleet : formatPresetFleet(servers), { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'EEXIST' ? 'is there already; nothing was changed' : `cannot be written: ${wordFileError(error)}`
    const hint =
      code === 'ENOENT' ? 'Create its folder first, or name another file with -f.' : 'Name another file with -f.'
    throw new TestfleetError('USAGE', `${name} ${why}`, { cause: error, hint })
  }
  const described = servers.map((server) => ({ name: server.name, preset: server.preset.name }))
  const result = { file: path, ...(servers.length === 0 ? {} : { servers: described }) }
  return answer(call, result, `wrote ${name}; next: testfleet up${call.file === undefined ? '' : ` -f ${name}`}\n`)
}

/** Returns the servers of the operands, each written as `PRESET` or `NAME=PRESET`. Fails with USAGE. */
async function findServers({ servers: operands, host }: Call): Promise<PresetServer[]> {
  const client = new Testfleet({ folder: host.workingFolder })
  const found = await Promise.all(operands.map((operand) => findServer(operand, client)))
  const taken = new Set<string>()
  for (const { name, preset } of found) {
    if (taken.has(name)) {
      throw new TestfleetError('USAGE', `two servers would be called ${name}`, {
        hint: `Give each a name that no other has, as NAME=${preset.name}.`,
      })
    }
    taken.add(name)
  }
  return found
}

async function findServer(operand: string, client: Testfleet): Promise<PresetServer> {
  const [, given, word = operand] = /^([^=]*)=(.*)$/s.exec(operand) ?? []
  const name = given ?? basename(word)
  if (given !== undefined && !NAME.test(name)) {
    throw new TestfleetError('USAGE', `${JSON.stringify(name)} is not the name of a server`, {
      hint: 'Use at most 40 lower-case letters, digits and dashes.',
    })
  }
  const [preset, ...others] = await client.presets(word)
  if (preset === undefined || others.length > 0) {
    const names = [preset, ...others].flatMap((one) => (one === undefined ? [] : [one.name]))
    throw new TestfleetError('USAGE', `${JSON.stringify(word)} is a word for several presets: ${names.join(', ')}`, {
      hint: 'Name one of them.',
    })
  }
  return { name: given ?? (NAME.test(name) ? name : preset.name), preset }
}
