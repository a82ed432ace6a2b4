import { answer, formatTable } from './answer.ts'
import { type Call, clientOf, timeoutOption } from './call.ts'
import { refuseTerminalInput } from './tar-stream.ts'

/** `-` instead of a file is standard input. */
export async function run(call: Call): Promise<number> {
  const [file = ''] = call.servers
  if (file === '-') refuseTerminalInput()
  const options = { signal: call.signal, timeoutMs: timeoutOption(call) }
  const images = await clientOf(call).loadImages(file === '-' ? process.stdin : file, options)
  return answer(
    call,
    { images },
    formatTable(images.map(({ image, loaded }) => [loaded ? 'loaded' : 'present', image])),
  )
}
