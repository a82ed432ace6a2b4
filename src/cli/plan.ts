import { answer } from './answer.ts'
import { bindOption, type Call, clientOf, flag } from './call.ts'

export async function run(call: Call): Promise<number> {
  const { servers, session: name, signal } = call
  if (flag(call, 'images-key')) {
    const key = await clientOf(call).imagesKey(call.file, { servers, signal })
    return answer(call, { key }, `${key}\n`)
  }
  const options = { servers, session: name, signal, bind: bindOption(call) }
  const { session, images, operations, text } = await clientOf(call).plan(call.file, options)
  return answer(call, { session, images, operations }, text)
}
