import { currentHost } from '../../src/current-host.ts'
import type { LeaseTarget, LeaseTools } from '../../src/lease/target.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import { listRecords, withEngine } from './command.ts'

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
  return withEngine((engine) =>
    use({ server, container, spec }, { runtime: openContainers(engine), host: currentHost() }),
  )
}
