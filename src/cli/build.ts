import { buildImages } from '../images.ts'
import { withinTime } from '../within-time.ts'
import { type Call, timeoutOption } from './call.ts'
import { formatTable } from './format-report.ts'
import { loadCallFleet } from './load-call-fleet.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const timeoutMs = timeoutOption(call)
  const images = await withTools(call, (tools) =>
    withinTime(timeoutMs, tools, (limited) => buildImages(fleet, call.servers, limited)),
  )
  call.output.endProgress()
  if (call.json) {
    writeJson(call, {
      images: Object.fromEntries(
        [...images].map(([server, { reference, isNew }]) => [server, { image: reference, built: isNew }]),
      ),
    })
  } else if (images.size === 0) call.output.write('No server has a `build`: nothing to build.\n')
  else
    call.output.write(
      formatTable(
        [...images].map(([server, { reference, isNew }]) => [server, isNew ? 'built' : 'present', reference]),
      ),
    )
  return 0
}
