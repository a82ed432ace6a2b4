import { answer, formatTable } from './answer.ts'
import { type Call, clientOf, textOption, timelineOption, timeoutOption } from './call.ts'

export async function run(call: Call): Promise<number> {
  const { servers, signal } = call
  const options = {
    ...{ servers, signal, timeoutMs: timeoutOption(call) },
    ...{ bundle: textOption(call, 'bundle'), timeline: timelineOption(call) },
  }
  const images = await clientOf(call).build(call.file, options)
  const rows = Object.entries(images).map(([server, { image, built }]) => [server, built ? 'built' : 'present', image])
  const text = rows.length === 0 ? 'No server has a `build`: nothing to build.\n' : formatTable(rows)
  return answer(call, { images }, text)
}
