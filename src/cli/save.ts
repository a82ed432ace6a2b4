import { TestfleetError } from '../model/failures.ts'
import { answer } from './answer.ts'
import { type Call, clientOf, timeoutOption } from './call.ts'
import { refuseTerminalOutput } from './tar-stream.ts'

/** `-` instead of a file is standard output. */
export async function run(call: Call): Promise<number> {
  const [file = '', ...servers] = call.servers
  const isStream = file === '-'
  if (isStream && call.json)
    throw new TestfleetError('USAGE', '--json cannot be used when the archive goes to standard output')
  if (isStream) refuseTerminalOutput()
  const options = { source: call.file, servers, signal: call.signal, timeoutMs: timeoutOption(call) }
  const saved = await clientOf(call).saveImages(isStream ? process.stdout : file, options)
  if (isStream) return 0
  const { images, bytes, written } = saved
  const what = `${images.length} ${images.length === 1 ? 'image' : 'images'} (${Math.ceil(bytes / 1_000_000)} MB)`
  return answer(call, { file, ...saved }, written ? `saved ${what} to ${file}\n` : `${file} already has ${what}\n`)
}
