import { buildImages } from '../images.ts'
import { withTimeout } from '../up/up.ts'
import { answer, formatTable } from './answer.ts'
import { type Call, loadCallFleet, timeoutOption, withTools } from './call.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const timeoutMs = timeoutOption(call)
  const images = await withTools(call, (tools) =>
    withTimeout(timeoutMs, tools, (limited) => buildImages(fleet, call.servers, limited)),
  )
  const results = [...images].map(
    ([server, { reference, isNew }]) => [server, { image: reference, built: isNew }] as const,
  )
  const rows = results.map(([server, { image, built }]) => [server, built ? 'built' : 'present', image])
  const text = rows.length === 0 ? 'No server has a `build`: nothing to build.\n' : formatTable(rows)
  return answer(call, { images: Object.fromEntries(results) }, text)
}
