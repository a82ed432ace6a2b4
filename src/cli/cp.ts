import { once } from 'node:events'
import { TestfleetError } from '../model/failures.ts'
import { answer } from './answer.ts'
import { type Call, clientOf, flag, sessionOptions } from './call.ts'
import { refuseTerminalOutput } from './tar-stream.ts'

/** `-` instead of a path of this machine is a tar stream on standard input or output. */
export async function run(call: Call): Promise<number> {
  const [from = '', to = ''] = call.servers
  const { packArchive, readCopyEnds, unpackArchive } = await import('../api/calls/copy-archive.ts')
  const ends = readCopyEnds(from, to)
  const { server } = ends
  const client = clientOf(call)
  const options = { followLink: flag(call, 'follow-link'), keepOwners: flag(call, 'archive') }
  if (ends.direction === 'out' && ends.to === '-') {
    if (call.json) throw new TestfleetError('USAGE', '--json cannot be used when the copy goes to standard output')
    await client.inSession('cp', sessionOptions(call), (session, tools) => {
      refuseTerminalOutput()
      return packArchive(session, server, ends.from, options, (chunk) => write(chunk, tools.signal), tools)
    })
    return 0
  }
  if (ends.direction === 'in' && ends.from === '-') {
    await client.inSession('cp', sessionOptions(call), (session, tools) =>
      unpackArchive(session, server, process.stdin, ends.to, tools),
    )
    return answer(call, { server, from, to }, `copied a tar stream to ${to}\n`)
  }
  const copied = await client.copy(from, to, { ...options, ...sessionOptions(call) })
  const { files, bytes } = copied
  return answer(
    call,
    { server, from, to, ...copied },
    `copied ${files} ${files === 1 ? 'file' : 'files'} (${bytes} bytes) to ${to}\n`,
  )
}

async function write(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal })
}
