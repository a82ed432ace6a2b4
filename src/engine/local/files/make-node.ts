import { TestfleetError } from '../../../model/failures.ts'
import { lastWords, type Machine, startProgram } from '../programs.ts'
import type { TarHeader } from './tar-header.ts'

const letters = { pipe: 'p', characterDevice: 'c', blockDevice: 'b' } as const

/** Creates a pipe or a device in an opened folder: Node has no call for that. */
export async function makeNode(
  machine: Machine,
  folder: number,
  name: string,
  { kind, device }: Pick<TarHeader, 'kind' | 'device'>,
): Promise<void> {
  const letter = letters[kind as keyof typeof letters]
  const numbers = kind === 'pipe' ? [] : [String(device.major), String(device.minor)]
  // The folder is handed over as an open file; a name in bytes cannot be an argument.
  const words = ['-m', '600', `/proc/self/fd/3/${Buffer.from(name, 'latin1').toString('utf8')}`, letter, ...numbers]
  const child = startProgram(machine, 'mknod', words, ['ignore', 'ignore', 'pipe', folder])
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.length < 10_000) said += chunk.toString('utf8')
  })
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code === 0) return
  throw new TestfleetError('ENGINE_REFUSED', `a device or a pipe could not be created: ${lastWords(said)}`)
}
