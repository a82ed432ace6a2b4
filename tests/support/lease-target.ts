import { currentHost } from '../../src/current-host.ts'
import type { LeaseTarget, LeaseTools } from '../../src/lease/target.ts'
import { awaitReady } from '../../src/report/report.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import { listRecords, SOON_MS, withEngine } from './command.ts'

/** Uses a running server of a session as the one that lends it does. */
export async function withTarget<Result>(
  container: string,
  use: (target: LeaseTarget, tools: LeaseTools) => Promise<Result>,
): Promise<Result> {
  const [found] = (await listRecords()).flatMap(({ servers }) =>
    Object.entries(servers).filter(([, spec]) => spec.container === container),
  )
  if (found === undefined) throw new Error(`no record has the container ${container}`)
  const [server, spec] = found
  return withEngine(async (engine) => {
    const tools = { runtime: openContainers(engine), host: currentHost() }
    const details = await engine.inspectContainer(container)
    const answers = async ({ signal = AbortSignal.timeout(SOON_MS) }): Promise<void> => {
      await awaitReady({ server, container, spec }, details, tools, signal)
    }
    return use({ server, container, spec, awaitReady: answers }, tools)
  })
}
