import { once } from 'node:events'
import { copyFiles, explain, findPlace, readCopyEnds } from '../copy/copy.ts'
import { packFromServer } from '../copy/copy-from.ts'
import { unpackIntoServer } from '../copy/copy-to.ts'
import { TestfleetError } from '../model/failures.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { answer } from './answer.ts'
import { type Call, flag, withSession } from './call.ts'

/** `-` in place of a path of this machine is a tar stream on standard input or output. */
export async function run(call: Call): Promise<number> {
  const [from = '', to = ''] = call.servers
  const ends = readCopyEnds(from, to)
  const options = { followsLink: flag(call, 'follow-link'), keepsOwners: flag(call, 'archive') }
  if (ends.direction === 'out' && ends.to === '-') {
    if (call.json) throw new TestfleetError('USAGE', '--json cannot be used when the copy goes to standard output')
    await withSession(call, (session, tools) => writeArchive(session, ends.server, ends.from, options, tools))
    return 0
  }
  if (ends.direction === 'in' && ends.from === '-') {
    await withSession(call, async (session, tools) => {
      const place = await findPlace(session, ends.server, tools)
      await unpackIntoServer(process.stdin, ends.to, place, tools).catch((error: unknown) => {
        throw explain(place, error)
      })
    })
    return answer(call, { server: ends.server, from, to }, `copied a tar stream to ${to}\n`)
  }
  const copied = await withSession(call, (session, tools) => copyFiles(session, ends, options, tools))
  const { files, bytes } = copied
  return answer(
    call,
    { server: ends.server, from, to, ...copied },
    `copied ${files} ${files === 1 ? 'file' : 'files'} (${bytes} bytes) to ${to}\n`,
  )
}

async function writeArchive(
  session: StoredRecord,
  server: string,
  path: string,
  options: { readonly followsLink: boolean; readonly keepsOwners: boolean },
  tools: Tools,
): Promise<void> {
  if (process.stdout.isTTY) {
    throw new TestfleetError('USAGE', 'a tar stream is not written to a terminal', {
      hint: 'Send it to a file or a program, such as `| tar tv`.',
    })
  }
  const place = await findPlace(session, server, tools)
  try {
    for await (const chunk of packFromServer(path, place, options, tools)) {
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal: tools.signal })
    }
  } catch (error) {
    throw explain(place, error)
  }
}
