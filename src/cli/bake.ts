import { answer, formatTable } from './answer.ts'
import { type Call, clientOf, textOption, timelineOption, timeoutOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const { servers, signal } = call
  const options = {
    ...{ servers, signal, timeoutMs: timeoutOption(call) },
    ...{ bundle: textOption(call, 'bundle'), timeline: timelineOption(call) },
  }
  const images = await clientOf(call).bake(call.file, options)
  const rows = Object.entries(images).map(([server, { image, baked }]) => [server, baked ? 'baked' : 'present', image])
  const text = rows.length === 0 ? 'No server has `bake`: nothing to bake.\n' : formatTable(rows)
  return answer(call, { images }, text)
}
