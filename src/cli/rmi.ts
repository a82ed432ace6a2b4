import { answer } from './answer.ts'
import { type Call, clientOf } from './call.ts'

export async function run(call: Call): Promise<number> {
  const { servers, file, signal } = call
  const images = await clientOf(call).removeImages({ servers, file, signal })
  const lines = images.map((image) => `removed ${image}\n`)
  return answer(call, { images }, lines.join('') || 'There was no image to remove.\n')
}
